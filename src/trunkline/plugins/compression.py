"""Context compression, middle-out (contract 4.2): what does not fit is dropped from the middle of a conversation, since its beginning says
what it is about and its end what is asked.

A call of the model stays with the results of its tools. System messages stay. When too little is left to drop, the longest texts lose
their own middle. Counts of tokens are estimates, so the aim is a little below what fits.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import structs

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.conversation import Block, Conversation, Reasoning, Text, ToolCall, ToolResult, Turn
from trunkline.plugins.stage import Note
from trunkline.protocol.catalogue import Endpoint

Tokens = Callable[[str, int], int]
"""Tokens of so many bytes of text in the eyes of a model (`metering.estimates`)."""

SMALL_CONTEXT: Final = 8192
"""Endpoints with no more context than this compress without being asked."""
_AIM: Final = 0.9
_ANSWER_SHARE: Final = 8
"""One in so many tokens is left to the answer where the caller names no limit."""
_SHORTEST: Final = 200
"""Characters that a text keeps at least when its middle is cut out."""
_CUT: Final = "\n[...]\n"
Unit = list[Turn]


def fitting(candidates: Sequence[tuple[Endpoint, ...]], tokens: int) -> list[tuple[Endpoint, ...]]:
    """The endpoints with room for half of `tokens` (prompt and answer together), else those with the most room of all."""
    half = -(-tokens // 2)
    kept = [tuple([one for one in group if one.context_length is None or one.context_length >= half]) for group in candidates]
    if not any(kept):
        most = max((one.context_length or 0 for group in candidates for one in group), default=0)
        kept = [tuple([one for one in group if one.context_length == most]) for group in candidates]
    return [group for group in kept if group]


class Compression:
    """Makes conversations fit (`plugins.stage.Stage`). `only_small`: only for endpoints that compress without being asked."""

    revises = False

    def __init__(self, tokens: Tokens, *, only_small: bool = False) -> None:
        self._tokens = tokens
        self._only_small = only_small

    def before(self, conversation: Conversation, endpoint: Endpoint) -> tuple[Conversation, Note | None]:
        """The conversation within the endpoint's context and its number of messages."""
        context = endpoint.context_length
        if self._only_small and (context is None or context > SMALL_CONTEXT):
            return conversation, None
        made = fewer_messages(conversation, endpoint.quirks.max_messages)
        if context is not None:
            made = self._shorter(made, endpoint.model, context)
        return (conversation, None) if made is conversation else (made, _note(conversation, made))

    def after(self, answer: Answer) -> tuple[Answer, Note | None]:
        """The answer as it is."""
        return answer, None

    def _shorter(self, conversation: Conversation, model: str, context: int) -> Conversation:
        answer = conversation.max_tokens or context // _ANSWER_SHARE
        room = max(context - answer, context // 2)
        size = size_of(conversation)
        needed = self._tokens(model, size)
        return conversation if needed <= room else middle_out(conversation, int(size * room / needed * _AIM))


def size_of(conversation: Conversation) -> int:
    """Bytes of text of a conversation, tools included; media are not counted."""
    tools = sum(len(tool.name) + len(tool.description or "") + len(bytes(tool.parameters or b"")) for tool in conversation.tools)
    return tools + sum(map(_turn_size, conversation.turns))


def middle_out(conversation: Conversation, most: int) -> Conversation:
    """The conversation in at most `most` bytes of text, where that can be done; its first and last part stay, shortened if they must be."""
    turns = conversation.turns
    excess = size_of(conversation) - most
    gone: set[int] = set()
    for start, unit in _from_the_middle(_units(turns)):
        if excess <= 0:
            break
        gone.update(range(start, start + len(unit)))
        excess -= sum(map(_turn_size, unit))
    kept = [turn for place, turn in enumerate(turns) if place not in gone]
    return structs.replace(conversation, turns=tuple(kept if excess <= 0 else _cut_texts(kept, excess)))


def fewer_messages(conversation: Conversation, most: int) -> Conversation:
    """The first half and the last half of `most` messages beside those of the system; 0 = any number is taken."""
    units = _units(conversation.turns)
    if not most or sum(len(unit) for _, unit in units) <= most:
        return conversation
    kept = {*_first(units, most // 2), *_first(reversed(units), most // 2)}
    dropped = {start + place for start, unit in units for place in range(len(unit)) if start not in kept}
    turns = tuple([turn for place, turn in enumerate(conversation.turns) if place not in dropped])
    return structs.replace(conversation, turns=turns)


def _first(units: Iterable[tuple[int, Unit]], most: int) -> list[int]:
    """The places of the first units that have no more than `most` messages together."""
    places: list[int] = []
    for start, unit in units:
        most -= len(unit)
        if most < 0:
            break
        places.append(start)
    return places


def _units(turns: Sequence[Turn]) -> list[tuple[int, Unit]]:
    """What can only stay or go together, each with the place of its first turn; turns of the system belong to none."""
    units: list[tuple[int, Unit]] = []
    for place, turn in enumerate(turns):
        if turn.role == "system":
            continue
        results = turn.role == "tool" or any(isinstance(block, ToolResult) for block in turn.blocks)
        if results and units and units[-1][0] + len(units[-1][1]) == place:
            units[-1][1].append(turn)
        else:
            units.append((place, [turn]))
    return units


def _from_the_middle(units: list[tuple[int, Unit]]) -> list[tuple[int, Unit]]:
    """The units but the first and the last, the middle one first."""
    centre = (len(units) - 1) / 2
    inner = range(1, len(units) - 1)
    return [units[place] for place in sorted(inner, key=lambda place: abs(place - centre))]


def _cut_texts(turns: Sequence[Turn], excess: int) -> list[Turn]:
    """The turns with the middle cut out of their longest texts, until `excess` bytes are gone or no text is long."""
    sizes = {id(block): len(block.text.encode()) for turn in turns for block in turn.blocks if isinstance(block, Text)}
    ordered = sorted(sizes.values(), reverse=True)
    limit = _level(ordered, excess)
    return [structs.replace(turn, blocks=tuple([_cut(block, limit) for block in turn.blocks])) for turn in turns]


def _level(sizes: Sequence[int], excess: int) -> int:
    """The size to which all larger texts are cut so that `excess` bytes go; `sizes` is in descending order."""
    above = 0
    for count, size in enumerate(sizes, 1):
        above += size
        level = (above - excess) // count
        if level >= (sizes[count] if count < len(sizes) else 0):
            return max(level, _SHORTEST)
    return _SHORTEST


def _cut(block: Block, limit: int) -> Block:
    """A text without its middle, in about `limit` bytes."""
    if not isinstance(block, Text):
        return block
    size = len(block.text.encode())
    if size <= limit:
        return block
    half = max(int(len(block.text) * limit / size) - len(_CUT), _SHORTEST) // 2
    shorter = f"{block.text[:half]}{_CUT}{block.text[-half:]}"
    return structs.replace(block, text=shorter, annotations=()) if len(shorter) < len(block.text) else block


def _turn_size(turn: Turn) -> int:
    return sum(map(_block_size, turn.blocks))


def _block_size(block: Block) -> int:
    if isinstance(block, Text | Reasoning):
        return len(block.text.encode())
    if isinstance(block, ToolCall):
        return len(block.name) + len(block.arguments)
    return sum(map(_block_size, block.blocks)) if isinstance(block, ToolResult) else 0


def _note(before: Conversation, after: Conversation) -> Note:
    was, now = len(before.turns), len(after.turns)
    summary = f"Reduced {was} messages to {now}" if now < was else f"Shortened {was} messages"
    data: dict[str, object] = {"engine": "middle-out", "messages_before": was, "messages_after": now}
    return Note(type="context_compression", name="context-compression", summary=summary, data=data)
