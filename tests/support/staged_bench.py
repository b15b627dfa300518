"""A pipeline with plugins over a scripted upstream."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pipelines import Bench, Outcome, served

from trunkline.dialects.hub.conversation import Conversation
from trunkline.inference.cached import Cache
from trunkline.inference.call import Call, Mint
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.skins import CHAT, Skin
from trunkline.inference.staging import Staging
from trunkline.plugins.caching.store import AnswersInMemory
from trunkline.plugins.pdf.job import Unreadable
from trunkline.plugins.pdf.parser import Parsed
from trunkline.protocol.catalogue import Model
from trunkline.transport.fake import FakeReply

TWO_PAGES = Parsed(("One.", "Two."))


class Pages:
    """An engine that finds these pages in every file, and counts the files. An Unreadable in place of the pages is raised."""

    def __init__(self, found: Parsed | Unreadable = TWO_PAGES) -> None:
        self.files: list[bytes] = []
        self.found = found

    async def parse(self, pdf: bytes, *, pictures: int = 0) -> Parsed:
        self.files.append(pdf)
        if isinstance(self.found, Unreadable):
            raise self.found
        return Parsed(self.found.pages, self.found.pictures[:pictures])


async def as_it_is(conversation: Conversation) -> Conversation:
    """Loads nothing."""
    return conversation


def model(name: str, *modalities: str) -> Model:
    """A model that takes text and these."""
    return Model(id=name, name=name, author="a", canonical_slug=name, created=1, input_modalities=("text", *modalities))


class PluginBench(Bench):
    """A bench whose pipeline has stages. `sent` are the bodies that went upstream."""

    def __init__(
        self,
        *replies: Any,
        endpoints: Sequence[Any] = (),
        engines: Mapping[str, Any] | None = None,
        models: Sequence[Model] = (),
        load: Any = as_it_is,
    ) -> None:
        super().__init__(endpoints or [served("one")], *replies, models=models)
        self.engine = Pages()
        staging = Staging(lambda: self.catalogue, self.estimates, {"cloudflare-ai": self.engine} if engines is None else engines, load)
        self.now = 1_000_000.0
        cache = Cache(AnswersInMemory(), self.ledgers, lambda: self.now)  # type: ignore[arg-type]
        self.services = msgspec.structs.replace(self.services, staging=staging, cache=cache)
        self.pipeline = Pipeline(self.services)

    def request(self, body: Any, headers: Mapping[str, str] = {}, *, skin: Skin = CHAT, authorization: str = "Bearer good") -> Outcome:
        """Send a body (JSON, or bytes as they are) with these headers to an operation."""
        given = {"authorization": authorization, **headers}
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        call = Call({name.lower().encode(): value.encode() for name, value in given.items()}, data, Mint(), skin)
        outcome = asyncio.run(self._ask(call, None))
        outcome.id = call.id_text  # type: ignore[attr-defined]
        return outcome

    @property
    def sent(self) -> list[Any]:
        return [msgspec.json.decode(one.body) for one in self.client.sent]

    def again(self, *replies: FakeReply) -> "PluginBench":
        """The same bench with more replies."""
        self.client.replies.extend(replies)
        return self


def annotations(outcome: Outcome) -> list[Any]:
    """The annotations of a whole answer's message."""
    found: list[Any] = outcome.json["choices"][0]["message"].get("annotations", [])
    return found
