"""The stage of the file parser: PDFs of a conversation become text for the endpoints that need it."""

from collections.abc import Callable

from msgspec import structs

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.conversation import Block, Conversation, File, Image, Text, ToolResult, Turn
from trunkline.plugins.files.annotations import without_files
from trunkline.plugins.files.reading import Reading
from trunkline.plugins.stage import Note
from trunkline.protocol.catalogue import Endpoint


class FileParsing:
    """Puts what was read in the place of the files (`plugins.stage.Stage`). `reads` tells of an endpoint whether its model gets the files
    themselves, `sees` whether it takes pictures; `fresh` are the files of which the client has no annotation yet."""

    revises = False

    def __init__(self, reading: Reading, *, reads: Callable[[Endpoint], bool], sees: Callable[[Endpoint], bool]) -> None:
        self.reads = reads
        self.fresh = reading.fresh
        self._reading = reading
        self._sees = sees

    @property
    def text_bytes(self) -> int:
        """Bytes of text that the files add to a prompt."""
        return sum(file.text_bytes for file in self._reading.files.values())

    def before(self, conversation: Conversation, endpoint: Endpoint) -> tuple[Conversation, Note | None]:
        """The conversation with text for files, and without the annotations that told of them."""
        if self.reads(endpoint):
            return conversation, None
        sees = self._sees(endpoint)
        turns = tuple([self._turn(without_files(turn), sees=sees) for turn in conversation.turns])
        return structs.replace(conversation, turns=turns), self._note()

    def after(self, answer: Answer) -> tuple[Answer, Note | None]:
        """The answer as it is: the encoder adds the annotations."""
        return answer, None

    def _turn(self, turn: Turn, *, sees: bool) -> Turn:
        if not any(isinstance(block, File | ToolResult) for block in turn.blocks):
            return turn
        return structs.replace(turn, blocks=self._blocks(turn.blocks, sees=sees))

    def _blocks(self, blocks: tuple[Block, ...], *, sees: bool) -> tuple[Block, ...]:
        out: list[Block] = []
        for block in blocks:
            if isinstance(block, ToolResult):
                out.append(structs.replace(block, blocks=self._blocks(block.blocks, sees=sees)))
            elif isinstance(block, File) and block.data in self._reading.files:
                out.extend(self._parts(block, sees=sees))
            else:
                out.append(block)
        return tuple(out)

    def _parts(self, block: File, *, sees: bool) -> list[Block]:
        """The parts of a file; the last one has its cache mark."""
        parts: list[Block] = [part for part in self._reading.files[str(block.data)].parts if sees or not isinstance(part, Image)]
        if block.cache is not None and isinstance(parts[-1], Text | Image):
            parts[-1] = structs.replace(parts[-1], cache=block.cache)
        return parts

    def _note(self) -> Note:
        files = list(self._reading.files.values())
        count = f"{len(files)} file" + ("s" if len(files) > 1 else "")
        data: dict[str, object] = {
            "engine": self._reading.engine,
            "files": [{"hash": file.hash, "name": file.name} for file in files],
            "replayed": len(files) - len(self._reading.fresh),
        }
        return Note(type="plugin", name="file-parser", summary=f"Read {count} with {self._reading.engine}", data=data)
