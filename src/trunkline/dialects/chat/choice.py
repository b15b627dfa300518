"""One choice of an answer, whole or in deltas: both pass through the same reader, so that a stream folds to the reply
(docs/architecture.md)."""

from msgspec import Struct

from trunkline.dialects.chat import reasoning
from trunkline.dialects.chat.calls import Call, CallAssembler
from trunkline.dialects.chat.finish import finish_reason
from trunkline.dialects.chat.tools import CallUnwrapper
from trunkline.protocol.quirks import Quirks

Delta = dict[str, object]


class Piece(Struct, gc=False):
    """What one delta (or message) said: the delta as the client gets it, and its parts for the account. `other`: media, a refusal, and the
    like."""

    delta: Delta
    text: str = ""
    thought: str = ""
    calls: list[tuple[Call, str]] = []
    other: bool = False

    @property
    def bears_content(self) -> bool:
        return bool(self.text or self.thought or self.calls or self.other)

    def join(self, rest: "Piece") -> None:
        """Take up the piece that follows at once."""
        for key, value in rest.delta.items():
            before = self.delta.get(key)
            both = type(before) is type(value) and isinstance(value, (str, list))
            self.delta[key] = before + value if both else value or before  # type: ignore[operator]
        self.text += rest.text
        self.thought += rest.thought
        self.calls = [*self.calls, *rest.calls]


class ChoiceReader:
    """Normalises the deltas of one choice. `read` changes nothing but the state of tag and call readers; `account` adds up what was read.

    `seed` makes minted call ids; `excluded` drops reasoning from what the client gets; `forced_tool` (not None) reads a wrapped call.
    """

    def __init__(self, quirks: Quirks, *, seed: str, excluded: bool, forced_tool: str | None) -> None:
        self.assembler = CallAssembler(seed)
        self.text_chars = 0
        self.output_chars = 0
        self.bore_other = False
        self.finish_reason: str | None = None
        self.native_finish_reason: str | None = None
        self._excluded = excluded
        self._splitter = reasoning.ThinkSplitter() if quirks.reasoning_out == "tags" else None
        self._unwrapper = CallUnwrapper() if forced_tool is not None else None

    @property
    def plain(self) -> bool:
        """Whether text would pass as it is."""
        tags = self._splitter is None or self._splitter.settled
        return tags and (self._unwrapper is None or self._unwrapper.failed) and self.finish_reason is None

    @property
    def holds_back(self) -> bool:
        """Whether text was read that has not gone out, because it may turn out to be a tag or a wrapped call."""
        return (self._splitter is not None and self._splitter.holds_back) or (self._unwrapper is not None and self._unwrapper.holds_back)

    def read(self, delta: Delta) -> Piece:
        """Normalise a delta or a message; `delta` is changed in place and becomes `Piece.delta`."""
        text, thought = self._split(delta)
        piece = Piece(delta, text, thought)
        if delta.get("tool_calls"):
            self._read_calls(piece)
        if self._unwrapper is not None and text:
            self._unwrap(piece, self._unwrapper.feed(text))
        piece.other = any(delta.get(key) for key in ("refusal", "audio", "images", "annotations", "reasoning_details"))
        self._write_reasoning(piece)
        return piece

    def close(self, native: str | None) -> Piece:
        """The end of the choice: what was held back, and `finish_reason` from the upstream's word for it."""
        piece = Piece({})
        if self._splitter is not None:
            piece.text, piece.thought = self._splitter.close()
            if piece.text:
                piece.delta["content"] = piece.text
        if self._unwrapper is not None:
            rest = self._unwrapper.feed(piece.text) if piece.text else ""
            self._unwrap(piece, rest + self._unwrapper.close())
        self._write_reasoning(piece)
        self._fill_arguments(piece)
        self.native_finish_reason = native or None
        self.finish_reason = finish_reason(native, called=bool(self.assembler.calls))
        return piece

    def account(self, piece: Piece) -> None:
        """Count what a piece added."""
        self.text_chars += len(piece.text)
        self.output_chars += len(piece.text) + len(piece.thought)
        self.bore_other = self.bore_other or piece.other
        for call, arguments in piece.calls:
            self.add_arguments(call, arguments)

    def add_arguments(self, call: Call, arguments: str) -> None:
        """Count a fragment of a call's arguments."""
        self.output_chars += len(arguments)
        if arguments:
            call.fragments.append(arguments)

    def _split(self, delta: Delta) -> tuple[str, str]:
        content = delta.get("content")
        thought = ""
        if isinstance(content, list):
            content, thought = reasoning.split_parts(content)
            delta["content"] = content
        if self._splitter is not None and isinstance(content, str):
            content, tagged = self._splitter.feed(content)
            thought += tagged
            delta["content"] = content
        for key in ("reasoning_content", "reasoning"):
            value = delta.pop(key, None)
            if isinstance(value, str) and value and not thought:
                thought = value
        return (content if isinstance(content, str) else ""), thought

    def _write_reasoning(self, piece: Piece) -> None:
        delta = piece.delta
        if self._excluded:
            delta.pop("reasoning_details", None)
        elif piece.thought:
            known = delta.pop("reasoning_details", None)
            delta["reasoning"] = piece.thought
            delta["reasoning_details"] = known or reasoning.details(piece.thought)

    def _read_calls(self, piece: Piece) -> None:
        items = piece.delta["tool_calls"]
        placed = self.assembler.place(items) if isinstance(items, list) else []
        piece.calls = [(call, arguments) for call, arguments, _ in placed]
        piece.delta["tool_calls"] = [item for _, _, item in placed]

    def _unwrap(self, piece: Piece, read: str) -> None:
        unwrapper = self._unwrapper
        text = read if unwrapper is None or unwrapper.failed else ""
        if text or "content" in piece.delta:
            piece.delta["content"] = text or None
        piece.text = text
        if unwrapper is None or unwrapper.failed:
            return
        begun = bool(self.assembler.calls)
        if unwrapper.name is None or (begun and not read):
            return
        function = {"arguments": read} if begun else {"name": unwrapper.name, "arguments": read}
        piece.delta["tool_calls"] = [{"index": 0, "function": function}]
        self._read_calls(piece)

    def _fill_arguments(self, piece: Piece) -> None:
        """A call without arguments gets `{}`: an empty string is no JSON."""
        given = {call.slot for call, arguments in piece.calls if arguments}
        empty = [call for call in self.assembler.calls if not (call.custom or call.fragments) and call.slot not in given]
        if empty:
            items = [{"index": call.slot, "function": {"arguments": "{}"}} for call in empty]
            known = piece.delta.get("tool_calls")
            piece.delta["tool_calls"] = [*(known if isinstance(known, list) else ()), *items]
            piece.calls = [*piece.calls, *((call, "{}") for call in empty)]
