"""What is known of an answer that passes through: read beside, while its bytes go on as they are."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from trunkline.dialects.hub.events import Finish
from trunkline.dialects.messages.account import Account
from trunkline.dialects.messages.stops import finish_of
from trunkline.dialects.tiers import served
from trunkline.errors import UpstreamError

Wire = Mapping[str, object]
_SAID = ("text", "thinking", "partial_json")
_encode = msgspec.json.Encoder().encode


class Call(Struct):
    """A tool call as far as it is known. `arguments` is JSON text; `given` the input that came with its start."""

    name: str
    given: object = None
    fragments: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        if self.fragments:
            return "".join(self.fragments)
        return _encode(self.given or {}).decode()


class Facts:
    """The facts of one answer (`hub.translation.Seen`)."""

    def __init__(self) -> None:
        self.account = Account()
        self.upstream_id: str | None = None
        self.service_tier: str | None = None
        self.error: UpstreamError | None = None
        self.output_chars = 0
        self.tool_calls: list[Call] = []
        self.bears_content = False
        self._finish: Finish | None = None
        self._calls: dict[object, Call] = {}

    @property
    def usage(self) -> dict[str, object] | None:
        return self.account.counted or None

    @property
    def finish_reason(self) -> str | None:
        return None if self._finish is None else self._finish.reason

    @property
    def native_finish_reason(self) -> str | None:
        return None if self._finish is None else self._finish.native

    def note_message(self, message: Wire) -> None:
        """The message itself: id, usage, tier."""
        identifier = message.get("id")
        self.upstream_id = identifier if isinstance(identifier, str) and identifier else self.upstream_id
        self.note_usage(message.get("usage"))

    def note_usage(self, usage: object) -> None:
        """A cumulative account."""
        if isinstance(usage, dict) and usage:
            self.account.take(usage)
            self.service_tier = served(usage.get("service_tier")) or self.service_tier

    def note_block(self, index: object, block: Wire) -> None:
        """A block with what it holds at its start. Any but text and thinking is content by itself."""
        kind = block.get("type")
        for key in ("text", "thinking"):
            said = block.get(key)
            self.note_said(said if isinstance(said, str) else "")
        self.bears_content = self.bears_content or kind not in ("text", "thinking")
        if kind == "tool_use":
            name = block.get("name")
            call = self._calls[index] = Call(name if isinstance(name, str) else "", block.get("input"))
            self.tool_calls.append(call)
            if call.given:
                self.note_said(call.arguments)

    def note_said(self, text: str) -> None:
        """Generated characters."""
        if text:
            self.output_chars += len(text)
            self.bears_content = True

    def note_arguments(self, index: object, piece: str) -> None:
        """A piece of a call's arguments; those of the upstream's own tools count as said."""
        self.note_said(piece)
        call = self._calls.get(index)
        if call is not None and piece:
            call.fragments.append(piece)

    def note_end(self, message: Wire) -> None:
        """The stop reason, of `message_delta` or of a whole message. The first counts."""
        native, sequence = message.get("stop_reason"), message.get("stop_sequence")
        if self._finish is None and isinstance(native, str) and native:
            self._finish = finish_of(native, stop_sequence=sequence if isinstance(sequence, str) else None, called=bool(self.tool_calls))
