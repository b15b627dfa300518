"""A request as it was accepted, and what becomes known of it on the way."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.translation import Identity
from trunkline.health.stickiness import Thread
from trunkline.inference import echo
from trunkline.inference.failures import Failure
from trunkline.inference.partial import Partial
from trunkline.inference.repairs import Repair
from trunkline.inference.skins import Skin
from trunkline.limits.account import Hold
from trunkline.plugins.stage import Note
from trunkline.plugins.staged import Staged
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.identity import generation_text, uuid7
from trunkline.protocol.principal import Principal
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import Plan
from trunkline.transport.response import Response

HEADER_LIMIT = 512
RANDOM_BYTES = 10
IDS_A_DRAW = 256
_TAKEN = (0, 200)
"""The statuses of a request that was not refused, 0 = there is none yet."""


class Mint:
    """Makes generation ids. Randomness is drawn for many at once, since each draw is a system call."""

    def __init__(self, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._draw = draw
        self._left: Iterator[bytes] = iter(())

    def mint(self, unix_ms: int) -> bytes:
        """The 16 bytes of a new id."""
        random = next(self._left, None)
        if random is None:
            block = self._draw(RANDOM_BYTES * IDS_A_DRAW)
            self._left = iter([block[start : start + RANDOM_BYTES] for start in range(0, len(block), RANDOM_BYTES)])
            random = next(self._left)
        return uuid7(unix_ms, random)


class Call:
    """One accepted request. `started` is monotonic seconds, `created_ms` Unix milliseconds; header names are lower-case bytes. `query` is
    what follows the path; inference itself takes nothing from it."""

    __slots__ = ("body", "created_ms", "headers", "id", "id_text", "query", "skin", "started")

    def __init__(self, headers: Mapping[bytes, bytes], body: bytes, mint: Mint, skin: Skin, query: bytes = b"") -> None:
        self.headers = headers
        self.body = body
        self.skin = skin
        self.query = query
        self.started = time.monotonic()
        self.created_ms = time.time_ns() // 1_000_000
        self.id = mint.mint(self.created_ms)
        self.id_text = generation_text(self.id)

    @property
    def authorization(self) -> bytes | None:
        """The credential as `Authorization` carries it; Anthropic's clients send `x-api-key` instead."""
        given = self.headers.get(b"authorization")
        if given is None and (key := self.headers.get(b"x-api-key")):
            return b"Bearer " + key
        return given

    @property
    def wants_metadata(self) -> bool:
        """Whether the caller asks for `openrouter_metadata` (contract 1.6); the second name is the older one."""
        value = self.headers.get(b"x-openrouter-metadata") or self.headers.get(b"x-openrouter-experimental-metadata")
        return value is not None and value.strip().lower() == b"enabled"

    def header(self, name: bytes) -> str | None:
        """A header's text, cut to 512 characters; None when it is absent or empty."""
        value = self.headers.get(name)
        return value[:HEADER_LIMIT].decode("latin-1") if value else None


class Exchange:
    """What is known of a call after admission.

    `endpoint` is the one being tried, `repair` what this attempt changes about the request; `sent_at` and `first_content_at` are monotonic
    seconds of the current attempt, 0 before; `settled` becomes true when the exchange has been recorded and its hold settled, which
    happens once; `record` is what was recorded. `staged` holds the stages of plugins, None for most requests; `echoes` the bodies that were
    sent, for callers who want to see them (contract 2.6), else None; `thread` the conversation, where it matters which endpoint served it;
    `task` the kind of task, where somebody looked at that.
    `response` is that of the current attempt, from when its request went out. `abandoned`: the client has left, so that nothing more is
    begun.
    `hedge`: the current attempt was made beside a slow one (`inference.hedging`); `hedged`: the request had its hedge; `on_left` is told
    when the client leaves meanwhile.
    `failures` came before the attempt that gave content, or are all there is; `partials` are the whole answers among them that said
    something first.
    """

    __slots__ = (
        "_conversation",
        "abandoned",
        "attempts",
        "call",
        "echoes",
        "endpoint",
        "failures",
        "first_content_at",
        "hedge",
        "hedged",
        "hold",
        "on_left",
        "partials",
        "plan",
        "principal",
        "prompt_tokens",
        "record",
        "repair",
        "request",
        "response",
        "sent_at",
        "settled",
        "staged",
        "task",
        "thread",
    )

    def __init__(
        self,
        call: Call,
        principal: Principal,
        request: InboundRequest,
        plan: Plan,
        hold: Hold,
        prompt_tokens: int,
        staged: Staged | None = None,
        thread: Thread | None = None,
    ) -> None:
        self.call = call
        self.principal = principal
        self.request = request
        self.plan = plan
        self.hold = hold
        self.prompt_tokens = prompt_tokens
        self.attempts: list[AttemptRecord] = []
        self.failures: Sequence[Failure] = ()
        self.partials: list[Partial] = []
        self.endpoint: Endpoint | None = None
        self.sent_at = 0.0
        self.first_content_at = 0.0
        self.settled = False
        self.record: GenerationRecord | None = None
        self.repair: Repair | None = None
        self.staged = staged
        self.thread = thread
        self.task = None if request.chosen is None else request.chosen.task or None
        self.response: Response | None = None
        self.abandoned = False
        self.hedge = False
        self.hedged = False
        self.on_left: Callable[[], None] | None = None
        self.echoes: list[tuple[Endpoint, bytes]] | None = [] if "debug" in request.fields and echo.wanted(request) else None
        self._conversation: Conversation | None = None if staged is None else staged.base

    def fork(self) -> "Exchange":
        """A copy for an attempt that runs beside another one: what the attempt changes stays its own until `adopt`. Lists are shared."""
        twin = Exchange.__new__(Exchange)
        for name in Exchange.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin

    def adopt(self, twin: "Exchange") -> None:
        """Take over what the attempt of `twin` made of the exchange."""
        self.endpoint, self.repair, self.sent_at, self.hedge = twin.endpoint, twin.repair, twin.sent_at, twin.hedge
        self.response, self._conversation = twin.response, twin._conversation

    def conversation(self) -> Conversation:
        """The request free of its dialect, staged and repaired for the current attempt."""
        conversation = self.original()
        if self.staged is not None and self.endpoint is not None:
            conversation = self.staged.applied(conversation, self.endpoint)
        return conversation if self.repair is None else self.repair(conversation)

    def original(self) -> Conversation:
        """The request free of its dialect as it came; read once, and only when an endpoint speaks another dialect or something is to be
        changed."""
        if self._conversation is None:
            self._conversation = self.call.skin.conversation(self.request)
        return self._conversation

    @property
    def edited(self) -> bool:
        """Whether the current attempt sends something else than what came, or changes the answer: then nothing can pass through."""
        if self.repair is not None:
            return True
        return self.staged is not None and self.endpoint is not None and self.staged.edits(self.original(), self.endpoint)

    @property
    def notes(self) -> list[Note]:
        """What stages did, for `pipeline[]` of the router's metadata (contract 2.13)."""
        return [] if self.staged is None else self.staged.notes

    def give(self, conversation: Conversation) -> None:
        """The conversation with the bytes of its files, for this and the following attempts."""
        self._conversation = conversation

    def identity(self, endpoint: Endpoint) -> Identity:
        """Under which name an answer of this endpoint goes out."""
        return Identity(self.call.id_text, endpoint.model, endpoint.provider_name, self.call.created_ms // 1000)

    def echoed(self) -> bytes:
        """The bodies that were sent, as the first events of a stream; b"" in a dialect that has no such event."""
        write = self.call.skin.echo
        if write is None or not self.echoes:
            return b""
        return b"".join([write(self.identity(endpoint), echo.redacted(body)) for endpoint, body in self.echoes])

    def left(self) -> bool:
        """The client is gone: only one attempt goes on, and only when its endpoint bills on (`bills_on`)."""
        self.abandoned = True
        if self.on_left is not None:
            self.on_left()
        return self.bills_on()

    def is_billed(self) -> bool:
        """Whether the endpoint being tried has the whole request, and did not refuse it: it bills the prompt, whatever comes of it."""
        return self.response is not None and self.response.sent and self.response.status in _TAKEN

    def bills_on(self) -> bool:
        """Whether the endpoint being tried goes on generating, and charging, after its connection is closed."""
        return self.endpoint is not None and self.endpoint.on_cancel == "bills_on"
