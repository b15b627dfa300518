"""Blocks one after the other: a Messages stream has one open block at a time, the hub's deltas may be mixed.

Text and reasoning end when another block has something to say, and go on in a further block. A tool call stays open until it has ended,
and what else is said meanwhile waits.
"""

from trunkline.dialects.hub.events import BlockKind, BlockStart, Delta, DeltaKind
from trunkline.dialects.messages import citations, content, frames, seal
from trunkline.dialects.messages.arguments import EMPTY, free_text

_STREAMED = frozenset(("tool_use", "server_tool_use", "mcp_tool_use"))
"""Blocks whose `input` arrives as `input_json_delta`."""


class _Block:
    """A block of the hub, and what of it has been written. `whole` is a block without a counterpart there."""

    def __init__(self, start: BlockStart, whole: content.Block | None = None) -> None:
        self.kind: BlockKind | str = start.kind if whole is None else "whole"
        self.start = start
        self.whole = whole
        self.pending: list[tuple[DeltaKind, str]] = []
        self.stopped = whole is not None
        self.wire: int | None = None
        self.signature = ""
        self.data = ""
        self.summary = False
        self.text: list[str] = []

    @property
    def stays(self) -> bool:
        return self.kind == "tool_call" and not self.stopped


class Sequence:
    """Writes the blocks of one answer. `hides_thinking`: signatures only, which hold the text. `out` takes the frames."""

    def __init__(self, *, hides_thinking: bool = False) -> None:
        self.out: list[bytes] = []
        self._hides = hides_thinking
        self._blocks: dict[int, _Block] = {}
        self._waiting: list[_Block] = []
        self._open: _Block | None = None
        self._next = 0

    def begin(self, event: BlockStart) -> None:
        """A block begins. It is written with its first content; a call is content by itself."""
        block = self._blocks[event.index] = _Block(event)
        if block.kind == "tool_call":
            self._wait(block)

    def add(self, event: Delta) -> None:
        """A piece of a block; of one that never began, as text. A call that has ended takes nothing more."""
        block = self._blocks.get(event.index)
        if block is None:
            block = self._blocks[event.index] = _Block(BlockStart(event.index))
        if block.stopped and block.kind == "tool_call":
            return
        if block is self._open and not self._waiting:
            self._write(block, event.kind, event.text)
            return
        block.pending.append((event.kind, event.text))
        if block is not self._open and block not in self._waiting:
            self._waiting.append(block)
        self._pump()

    def end(self, index: int) -> None:
        """A block has ended."""
        block = self._blocks.get(index)
        if block is not None:
            block.stopped = True
            self._pump()

    def insert(self, whole: content.Block) -> None:
        """A block that comes in one piece."""
        self._wait(_Block(BlockStart(-1), whole))

    def close(self) -> None:
        """The answer has ended: everything is written, and nothing stays open."""
        for block in self._blocks.values():
            block.stopped = True
        self._pump()

    def _wait(self, block: _Block) -> None:
        self._waiting.append(block)
        self._pump()

    def _pump(self) -> None:
        """Write as far as the order allows."""
        while True:
            block = self._open
            if block is not None:
                self._flush(block)
                if block.stays or not (block.stopped or self._waiting):
                    return
                self._finish(block)
            if not self._waiting:
                return
            self._open = self._waiting.pop(0)

    def _flush(self, block: _Block) -> None:
        if block.kind == "tool_call" and block.wire is None:
            block.wire = self._start(content.call(block.start.id or "", block.start.name, EMPTY))
        pending, block.pending = block.pending, []
        for kind, text in pending:
            self._write(block, kind, text)

    def _write(self, block: _Block, kind: DeltaKind, text: str) -> None:
        if not text:
            return
        if block.kind == "tool_call":
            self._write_arguments(block, kind, text)
        elif block.kind == "reasoning":
            self._write_reasoning(block, kind, text)
        elif kind == "text":
            self.out.append(frames.text(self._index(block, content.text("")), text))
        elif kind == "annotation":
            cited = citations.citation(text)
            if cited is not None:
                self.out.append(frames.citation(self._index(block, content.text("")), cited))

    def _write_arguments(self, block: _Block, kind: DeltaKind, text: str) -> None:
        if kind == "arguments" and block.start.custom:
            block.text.append(text)
        elif kind == "arguments" and block.wire is not None:
            self.out.append(frames.arguments(block.wire, text))

    def _write_reasoning(self, block: _Block, kind: DeltaKind, text: str) -> None:
        if kind == "signature":
            block.signature += text
        elif kind == "data":
            block.data += text
        elif kind in ("text", "summary"):
            block.summary = block.summary or kind == "summary"
            if self._hides:
                block.text.append(text)
            else:
                self.out.append(frames.thinking(self._index(block, content.thinking("", "")), text))

    def _index(self, block: _Block, empty: content.Block) -> int:
        if block.wire is None:
            block.wire = self._start(empty)
        return block.wire

    def _start(self, block: content.Block) -> int:
        index, self._next = self._next, self._next + 1
        self.out.append(frames.start(index, block))
        return index

    def _finish(self, block: _Block) -> None:
        self._open = None
        if block.whole is not None:
            self._write_whole(block.whole)
            return
        if block.kind == "reasoning":
            self._sign(block)
        if block.start.custom and block.wire is not None:
            self.out.append(frames.arguments(block.wire, bytes(free_text("".join(block.text))).decode()))
        if block.wire is not None:
            self.out.append(frames.stop(block.wire))
            block.wire = None

    def _sign(self, block: _Block) -> None:
        """The end of a piece of reasoning, as `content` has it in a whole body."""
        carried, hidden = block.data, "".join(block.text)
        signature, data = content.closing(
            block.start.format, block.start.id, summary=block.summary, signature=block.signature, data=block.data, hidden=hidden
        )
        block.signature = block.data = ""
        block.text.clear()
        if carried and block.wire is None and block.start.format != seal.OWN:
            self._write_whole(content.redacted(signature))
            return
        if signature:
            self.out.append(frames.signature(self._index(block, content.thinking("", "")), signature))
        if data:
            if block.wire is not None:
                self.out.append(frames.stop(block.wire))
                block.wire = None
            self._write_whole(content.redacted(data))

    def _write_whole(self, whole: content.Block) -> None:
        kind = str(whole.get("type"))
        said = whole.get("text") if kind == "text" else None
        if isinstance(said, str):
            index = self._start({**whole, "text": ""})
            self.out.append(frames.text(index, said))
        elif kind == "compaction":
            index = self._start({**whole, "content": None})
            self.out.append(frames.compaction(index, whole.get("content")))
        elif kind == "thinking":
            index = self._start(content.thinking("", ""))
            self.out.append(frames.thinking(index, str(whole.get("thinking"))))
            self.out.append(frames.signature(index, str(whole.get("signature"))))
        elif kind in _STREAMED and whole.get("input"):
            index = self._start({**whole, "input": EMPTY})
            self.out.append(frames.arguments(index, frames.json_text(whole["input"])))
        else:
            index = self._start(whole)
        self.out.append(frames.stop(index))
