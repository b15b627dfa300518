"""A pipeline of one operation over a scripted upstream, and requests to it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from pipelines import JSON_HEADERS, Bench, Outcome, served

from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import UpstreamError
from trunkline.inference.attempts import Attempts
from trunkline.inference.call import Call, Mint
from trunkline.inference.lines import Lines
from trunkline.inference.oneshot import OneShot, Operation
from trunkline.inference.operations import RUNNERS
from trunkline.inference.unit_ledger import UnitLedger
from trunkline.protocol.catalogue import Endpoint, Model
from trunkline.protocol.quirks import OperationQuirks, Quirks
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeReply


def body(document: Any, status: int = 200) -> FakeReply:
    """A JSON answer."""
    return FakeReply(status, JSON_HEADERS, [document if isinstance(document, bytes) else msgspec.json.encode(document)])


def offering(tag: str, operation: str, *, quirks: dict[str, Any] | None = None, **changes: Any) -> Endpoint:
    """An endpoint with quirks of its own for an operation."""
    own = Quirks(operations={operation: OperationQuirks(**quirks)}) if quirks else Quirks()
    return served(tag, **{"quirks": own, **changes})


class OneShotBench(Bench):
    """An operation to try things on; the model a/m makes `outputs`."""

    def __init__(
        self,
        operation: Operation,
        endpoints: Sequence[Endpoint],
        *replies: FakeReply | UpstreamError,
        outputs: Sequence[str] = (),
        inputs: Sequence[str] = ("text", "image", "audio"),
    ) -> None:
        super().__init__(endpoints, *replies)
        self.operation = operation
        wanted = tuple(outputs or _OUTPUTS[operation.name])
        model = Model(
            id="a/m", name="m", author="a", canonical_slug="a/m", created=1, input_modalities=tuple(inputs), output_modalities=wanted
        )
        self.catalogue = Catalogue(models=[model], endpoints=endpoints, providers={}, authors={}, missing={})
        services = msgspec.structs.replace(
            self.pipeline._services, ledger=UnitLedger(self.ledgers, self.ledgers, self.estimates, operation.name)
        )
        attempts = Attempts(Lines(self.client, Credentials({}), {}), self.health)
        self.pipeline = RUNNERS.get(operation.name, OneShot)(services, operation, attempts, self.client)

    def request(self, *, raw: bytes | None = None, leave: float | None = None, **fields: Any) -> Outcome:
        """Send one request and return what came back."""
        given = msgspec.json.encode({"model": "a/m", **fields}) if raw is None else raw
        call = Call({b"authorization": b"Bearer good"}, given, Mint(), self.operation.skin)
        return asyncio.run(self._ask(call, leave))

    def sent(self, index: int = 0) -> Any:
        """The JSON body of a call that was made."""
        return msgspec.json.decode(self.client.sent[index].body)

    def url(self, index: int = 0) -> str:
        """The URL of a call that was made."""
        return self.client.sent[index].target.url


_OUTPUTS = {
    "embeddings": ["embeddings"],
    "rerank": ["rerank"],
    "speech": ["speech"],
    "transcription": ["transcription"],
    "images": ["image"],
}
