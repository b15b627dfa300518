"""The blocks of an answer: numbered as they begin, and ended when something else begins.

Text, refusals and reasoning follow each other; tool calls stay open beside each other until the end, since servers mix their pieces.
"""

from collections.abc import Set
from typing import Final, Literal

from msgspec import Struct, field

from trunkline.dialects.chat.calls import Call
from trunkline.dialects.chat.offers import unwrapped_input
from trunkline.dialects.hub.events import BlockKind, BlockStart, BlockStop, Delta, DeltaKind, Event, Media
from trunkline.dialects.names import Names

_DETAILS: Final[tuple[tuple[str, str, DeltaKind], ...]] = (
    ("reasoning.text", "text", "text"),
    ("reasoning.summary", "summary", "summary"),
    ("reasoning.encrypted", "data", "data"),
)


class Thought(Struct):
    """The open reasoning block: whose it is, and whether its signature or data has come, after which nothing more belongs to it."""

    family: str
    id: str | None
    place: object
    sealed: bool = False


class CallState(Struct):
    """A call as told so far. Nothing is told before its name is known; `held` arguments are told when they are complete."""

    call: Call
    index: int = -1
    emulated: bool = False
    held: list[str] = field(default_factory=list)


class Blocks:
    """Collects events. `names` restores tool names; `emulated` are the custom tools that were offered as functions."""

    def __init__(self, names: Names, emulated: Set[str]) -> None:
        self.events: list[Event] = []
        self._names = names
        self._emulated = emulated
        self._begun = 0
        self._open: tuple[int, BlockKind] | None = None
        self._thought: Thought | None = None
        self._calls: dict[int, CallState] = {}

    @property
    def nameless(self) -> bool:
        """Whether a call has no name, so that nobody could run it."""
        return any(state.index < 0 for state in self._calls.values())

    @property
    def begun(self) -> bool:
        """Whether a block has begun."""
        return self._begun > 0 or bool(self._calls)

    def say(self, kind: Literal["text", "refusal"], text: str, *, what: DeltaKind = "text") -> None:
        """A piece of text or of a refusal, or a fact about it."""
        if self._open is None or self._open[1] != kind:
            self._begin(kind)
        self._tell(what, text)

    def think(self, text: str) -> None:
        """Reasoning of unknown origin."""
        self.detail({"type": "reasoning.text", "text": text, "format": "unknown", "index": 0})

    def detail(self, item: dict[str, object]) -> None:
        """An item of `reasoning_details`, or a piece of one."""
        known = next(((key, what) for name, key, what in _DETAILS if item.get("type") == name), None)
        if known is None:
            return
        key, what = known
        text, signature = item.get(key), item.get("signature")
        pieces = [(what, text), ("signature", signature)]
        told: list[tuple[DeltaKind, str]] = [(kind, piece) for kind, piece in pieces if isinstance(piece, str) and piece]
        if not told:
            return
        thought = self._thought_of(item)
        for kind, piece in told:
            self._tell(kind, piece)
            thought.sealed = thought.sealed or kind in ("signature", "data")

    def show(self, media: Media) -> None:
        """A picture or sound."""
        self._close()
        self.events.append(media)

    def call(self, call: Call, arguments: str) -> None:
        """A piece of a tool call."""
        state = self._calls.get(call.slot)
        if state is None:
            state = self._calls[call.slot] = CallState(call)
        if arguments:
            state.held.append(arguments)
        if state.index < 0 and call.name:
            self._begin_call(state)
        if state.index >= 0 and not state.emulated:
            self._release(state)

    def end(self) -> None:
        """Everything that is open ends."""
        self._close()
        for state in self._calls.values():
            if state.index < 0:
                continue
            if state.emulated:
                state.held = [unwrapped_input("".join(state.held))]
            self._release(state)
            self.events.append(BlockStop(state.index))
        self._calls = {}

    def taken(self) -> list[Event]:
        """The events collected since this was called last."""
        events, self.events = self.events, []
        return events

    def _thought_of(self, item: dict[str, object]) -> Thought:
        """The block that an item continues, else a new one."""
        family = item.get("format")
        family = family if isinstance(family, str) and family else "unknown"
        identifier = item.get("id")
        identifier = identifier if isinstance(identifier, str) and identifier else None
        thought = self._thought
        if thought is not None and self._open is not None and self._open[1] == "reasoning":
            same = thought.family == family and thought.place == item.get("index") and identifier in (None, thought.id)
            if same and not thought.sealed:
                return thought
        self._begin("reasoning", identifier, family)
        self._thought = Thought(family, identifier, item.get("index"))
        return self._thought

    def _begin(self, kind: BlockKind, identifier: str | None = None, family: str = "unknown") -> None:
        self._close()
        self._open = (self._begun, kind)
        self.events.append(BlockStart(self._begun, kind, identifier, "", family))
        self._begun += 1

    def _begin_call(self, state: CallState) -> None:
        self._close()
        state.index = self._begun
        self._begun += 1
        name = self._names.original(state.call.name)
        state.emulated = name in self._emulated
        custom = state.call.custom or state.emulated
        self.events.append(BlockStart(state.index, "tool_call", state.call.id, name, custom=custom))

    def _release(self, state: CallState) -> None:
        text = "".join(state.held)
        state.held = []
        if text:
            self.events.append(Delta(state.index, "arguments", text))

    def _tell(self, what: DeltaKind, text: str) -> None:
        if self._open is not None:
            self.events.append(Delta(self._open[0], what, text))

    def _close(self) -> None:
        if self._open is not None:
            self.events.append(BlockStop(self._open[0]))
            self._open = None
