"""A pipeline over a scripted upstream: the real rooms in between, no network, no database."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from endpoints import endpoint

from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import ApiError, UpstreamError
from trunkline.health.monitor import Monitor
from trunkline.health.stickiness import Stickiness
from trunkline.inference.attempts import Attempts
from trunkline.inference.call import Call, Mint
from trunkline.inference.ledger import Ledger
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.reply import AsgiReply
from trunkline.inference.routes import Routes
from trunkline.inference.services import Services
from trunkline.inference.skins import CHAT
from trunkline.inference.upstream import Upstream
from trunkline.inference.watch import Drains
from trunkline.limits.account import Hold
from trunkline.metering.estimates import Estimates
from trunkline.protocol.catalogue import Endpoint, Model, Pricing
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.principal import Principal
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeClient, FakeReply

USER = Principal("k" * 64, "inference", "test", "sk-or-v1-k...", "w")
STREAM_HEADERS = {"content-type": "text/event-stream"}
JSON_HEADERS = {"content-type": "application/json"}
PRICE = Pricing(prompt=10, completion=20)


def served(tag: str, **changes: Any) -> Endpoint:
    """An endpoint of the model a/m at a URL of its own."""
    settings = {"base_url": f"http://{tag}.test/v1", "operator_url": True, "pricing": PRICE, **changes}
    return msgspec.structs.replace(endpoint(tag), **settings)


def answer(text: str = "Paris.", **changes: Any) -> FakeReply:
    """A whole answer of an OpenAI-compatible upstream."""
    message = {"role": "assistant", "content": text, **changes.pop("message", {})}
    body = {
        "id": "up-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": changes.pop("finish_reason", "stop")}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
        **changes,
    }
    return FakeReply(200, JSON_HEADERS, [msgspec.json.encode(body)])


def event(delta: dict[str, Any] | None = None, *, finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    """One event of a stream; without a delta and finish the one that carries usage."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk = {"id": "up-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, "usage": usage}
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


ROLE = event({"role": "assistant", "content": ""})
USAGE = event(usage={"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10})
DONE = b"data: [DONE]\n\n"


def stream(*steps: bytes | float | UpstreamError) -> FakeReply:
    """A streamed answer, one step for each read."""
    return FakeReply(200, STREAM_HEADERS, steps)


def words(*texts: str) -> list[bytes]:
    """A whole stream that says these words."""
    return [ROLE, *[event({"content": text}) for text in texts], event({}, finish="stop"), USAGE, DONE]


class Outcome:
    """What the client got."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.pieces: list[bytes] = []
        self.ended = False
        self.error: ApiError | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def events(self) -> list[Any]:
        """The chunks of a stream, without comments and [DONE]."""
        payloads = [part[6:] for part in self.body.split(b"\n\n") if part.startswith(b"data: ")]
        return [msgspec.json.decode(part) for part in payloads if part != b"[DONE]"]

    @property
    def text(self) -> str:
        return "".join(choice["delta"].get("content") or "" for chunk in self.events for choice in chunk["choices"])

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.pieces.append(message.get("body", b""))
            self.ended = not message.get("more_body", False)


class Ledgers:
    """Stands for recorder and budgets: what was recorded, what was settled."""

    def __init__(self) -> None:
        self.records: list[GenerationRecord] = []
        self.evidence: list[Any] = []
        self.settled: list[int] = []
        self.own_keys: list[int] = []
        self.refuse: ApiError | None = None

    def record(self, record: GenerationRecord, evidence: Any = None) -> None:
        self.records.append(record)
        self.evidence.append(evidence)

    def reserve_now(self, _principal: Principal, _estimate: int) -> Hold | None:
        return Hold() if self.refuse is None else None

    async def reserve(self, _principal: Principal, _estimate: int) -> Hold:
        assert self.refuse is not None
        raise self.refuse

    def settle(self, _hold: Hold, cost: int, *, is_byok: bool = False) -> None:
        (self.own_keys if is_byok else self.settled).append(cost)


class Keys:
    """Stands for the authenticator: one known key."""

    def known(self, authorization: bytes) -> Principal | None:
        return USER if authorization == b"Bearer good" else None

    async def authenticate(self, authorization: bytes | None) -> Principal:
        if authorization == b"Bearer manager":
            return msgspec.structs.replace(USER, kind="management")
        raise ApiError("authentication", "Invalid API key")


class Bench:
    """A pipeline to try things on. `replies` is the script of the upstream, in the order of attempts."""

    def __init__(self, endpoints: Sequence[Endpoint], *replies: FakeReply | UpstreamError, models: Sequence[Model] = ()) -> None:
        self.client = FakeClient(*replies)
        self.ledgers = Ledgers()
        self.health = Monitor()
        names = {one.model for one in endpoints}
        known = [Model(id=name, name=name, author="a", canonical_slug=name, created=1) for name in sorted(names)]
        self.catalogue = Catalogue(models=[*known, *models], endpoints=endpoints, providers={}, authors={}, missing={})
        self.routes = Routes(self.client, Credentials({}), {})
        self.estimates = Estimates()
        self.drains = Drains()
        self.services = Services(
            catalogue=lambda: self.catalogue,
            authenticator=Keys(),
            budgets=self.ledgers,
            estimates=self.estimates,
            health=self.health,
            attempts=Attempts(self.routes, self.health),
            upstream=Upstream(self.client),
            ledger=Ledger(self.ledgers, self.ledgers, self.estimates),
            drains=self.drains,
        )
        self.pipeline = Pipeline(self.services)

    def stick(self, stickiness: Stickiness) -> None:
        """Let conversations stay where their prompts are cached."""
        self.services = msgspec.structs.replace(self.services, stickiness=stickiness)
        self.pipeline = Pipeline(self.services)

    def ask(self, *, leave: float | None = None, authorization: bytes = b"Bearer good", **fields: Any) -> Outcome:
        """Send one request and return what came back. `leave` closes the client's connection after so many seconds."""
        body = {"model": "a/m", "messages": [{"role": "user", "content": "What is the capital of France?"}], **fields}
        call = Call({b"authorization": authorization, b"x-title": b"Tests"}, msgspec.json.encode(body), Mint(), CHAT)
        return self.send(call, leave=leave)

    def send(self, call: Call, *, leave: float | None = None) -> Outcome:
        """Send a request of any dialect."""
        return asyncio.run(self._ask(call, leave))

    async def _ask(self, call: Call, leave: float | None) -> Outcome:
        outcome = Outcome()

        async def receive() -> dict[str, str]:
            await asyncio.sleep(3600 if leave is None else leave)
            return {"type": "http.disconnect"}

        try:
            await self.pipeline.run(call, AsgiReply(outcome.send, receive, []))
        except ApiError as error:
            outcome.error = error
        return outcome

    @property
    def record(self) -> GenerationRecord:
        """The one record that was made."""
        assert len(self.ledgers.records) == 1
        return self.ledgers.records[0]


async def never() -> dict[str, str]:
    """Stands for a client that sends nothing more."""
    await asyncio.sleep(3600)
    return {"type": "http.disconnect"}


def always(value: Any) -> Callable[..., Any]:
    """A function that returns this."""
    return lambda *_arguments, **_options: value
