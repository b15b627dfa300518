"""Turns in the order that chat servers demand: each message with calls is followed at once by one result for each call (adapters 2.4,
classes 4, 7, 8).

Other dialects put results among a user's words, cut one answer into several turns, or have lost a call or a result when the history was
trimmed.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from trunkline.dialects.hub.conversation import Block, Text, ToolCall, ToolResult, Turn

UNANSWERED: Final = "No result was given for this call."
"""What a call is answered with whose result is missing."""


class Open(Struct):
    """A call that waits for its result: the id in the conversation, and the one it is sent under."""

    id: str
    call: ToolCall


class _Rounds:
    """The turns so far, and the calls of the last answer that wait. Results go to `_place`, right behind that answer."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._waiting: list[Open] = []
        self._place = 0

    def answer(self, turn: Turn) -> None:
        """An assistant's turn; one that directly follows another belongs to it when calls would else be cut off from their results."""
        last = self.turns[-1] if self.turns else None
        if last is not None and last.role == "assistant" and (self._waiting or not (_speaks(last) and _speaks(turn))):
            self.turns[-1] = replace(last, blocks=(*last.blocks, *self._open(turn, {call.id for call in _calls(last)})))
            return
        self.settle()
        self.turns.append(replace(turn, blocks=self._open(turn, set())))
        self._place = len(self.turns)

    def result(self, result: ToolResult) -> None:
        """A result; one that no call waits for is a duplicate, or its call is gone, and it can't be sent."""
        found = next((one for one in self._waiting if one.id == result.id), None)
        if found is not None:
            self._waiting.remove(found)
            self._insert(replace(result, id=found.call.id, name=found.call.name))

    def words(self, turn: Turn) -> None:
        """A turn without calls and results."""
        self.turns.append(turn)

    def settle(self) -> None:
        """Answer the calls that still wait, unless the conversation ends with them."""
        if self._place < len(self.turns) or (self._waiting and self.turns[-1].role == "tool"):
            for one in self._waiting:
                self._insert(ToolResult(id=one.call.id, name=one.call.name, blocks=(Text(text=UNANSWERED),)))
        self._waiting = []

    def _open(self, turn: Turn, taken: set[str]) -> tuple[Block, ...]:
        blocks: list[Block] = []
        for block in turn.blocks:
            if isinstance(block, ToolCall):
                call = replace(block, id=_unused(block.id, taken))
                taken.add(call.id)
                self._waiting.append(Open(block.id, call))
                blocks.append(call)
            else:
                blocks.append(block)
        return tuple(blocks)

    def _insert(self, result: ToolResult) -> None:
        self.turns.insert(self._place, Turn(role="tool", blocks=(result,)))
        self._place += 1


def in_rounds(turns: Iterable[Turn]) -> list[Turn]:
    """The turns with results where they belong, one to a turn. Empty turns are left out, unless nothing else is there."""
    rounds = _Rounds()
    for turn in turns:
        if turn.role == "assistant":
            if turn.blocks:
                rounds.answer(turn)
            continue
        rest = []
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                rounds.result(block)
            else:
                rest.append(block)
        words = replace(turn, role="user" if turn.role == "tool" else turn.role, blocks=tuple(_filled(rest)))
        if words.blocks:
            rounds.words(words)
    rounds.settle()
    return rounds.turns or [Turn(role="user", blocks=(Text(text=""),))]


def _filled(blocks: Sequence[Block]) -> list[Block]:
    return [block for block in blocks if not isinstance(block, Text) or block.text]


def _calls(turn: Turn) -> list[ToolCall]:
    return [block for block in turn.blocks if isinstance(block, ToolCall)]


def _speaks(turn: Turn) -> bool:
    return any(isinstance(block, Text) for block in turn.blocks)


def _unused(identifier: str, taken: set[str]) -> str:
    """The id, or a longer one where a call beside it has the same."""
    number, unused = 1, identifier
    while unused in taken:
        number += 1
        unused = f"{identifier}_{number}"
    return unused
