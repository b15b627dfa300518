"""The turns of a conversation as Anthropic's `system` and `messages` (adapters 1.4): roles alternate, the results of all calls of an answer
stand first in the next message, nothing is empty, and reasoning of other families stays away."""

from collections.abc import Iterable, Iterator
from itertools import takewhile

from msgspec import Raw, Struct, field

from trunkline.dialects.hub.conversation import (
    Audio,
    Block,
    File,
    Image,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
    Video,
)
from trunkline.dialects.messages import citations, media
from trunkline.dialects.messages.arguments import free_text, object_of
from trunkline.dialects.messages.content import DIALECT
from trunkline.dialects.messages.marks import KEY, place
from trunkline.dialects.names import Names, fit

Wire = dict[str, object]

FILLER = "."
"""The message that is put in front where the conversation does not begin with the user, which Anthropic demands."""
UNANSWERED = "The call was not answered."
_ID_ALPHABET = "A-Za-z0-9_-"
_ID_LIMIT = 64


class Rules(Struct, frozen=True):
    """What an endpoint accepts: `formats` of reasoning, and whether system messages may stand between others."""

    names: Names
    formats: frozenset[str]
    late_system: bool = False


class Draft(Struct):
    """A message in the making. `results` come first in a user's message, by the id of their call."""

    role: str
    blocks: list[Wire | Raw] = field(default_factory=list)
    results: dict[str, Wire] = field(default_factory=dict)

    def content(self) -> list[Wire | Raw]:
        """The blocks in the order in which they are sent."""
        return [*self.results.values(), *self.blocks]


class History:
    """Takes turns in order; `system` and `drafts` are what comes of them after `close`."""

    def __init__(self, rules: Rules) -> None:
        self.system: list[Wire] = []
        self.drafts: list[Draft] = []
        self._rules = rules
        self._held: list[Draft] = []
        self._calls: dict[str, list[str]] = {}
        self._ids: set[str] = set()

    def add(self, turn: Turn) -> None:
        """Take the next turn."""
        if turn.role == "system":
            self._add_system(turn)
        elif turn.role == "assistant":
            self._add_answer(turn)
        else:
            self._add_input(turn)

    def close(self) -> None:
        """The end of the conversation: calls without results are answered, the first message is the user's, the last one does not end
        with blanks."""
        self._settle()
        last = self.drafts[-1] if self.drafts else None
        if last is not None and last.role == "assistant":
            _strip_end(last.blocks)
        self.drafts = _merged(draft for draft in self.drafts if draft.content())
        if not self.drafts or self.drafts[0].role != "user":
            self.drafts.insert(0, Draft("user", [{"type": "text", "text": FILLER}]))

    def _add_system(self, turn: Turn) -> None:
        opaque = any(isinstance(block, Opaque) and block.dialect == DIALECT for block in turn.blocks)
        late = bool(self.drafts) and (self._rules.late_system or opaque)
        blocks = _said(turn.blocks)
        if not late:
            self.system.extend(block for block in blocks if isinstance(block, dict))
        elif blocks:
            (self._held if self._missing() else self.drafts).append(Draft("system", blocks))

    def _add_answer(self, turn: Turn) -> None:
        draft = self.drafts[-1] if self.drafts else None
        if draft is None or draft.role != "assistant":
            self._settle()
            draft = Draft("assistant")
            self.drafts.append(draft)
            self._ids = set()
        for block in _joined_thoughts(turn.blocks):
            if isinstance(block, Reasoning):
                draft.blocks.extend(_thought(block, self._rules.formats))
            elif isinstance(block, ToolCall):
                draft.blocks.append(self._call(block))
            else:
                _append(draft.blocks, block)

    def _add_input(self, turn: Turn) -> None:
        draft = self._input_draft()
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                self._add_result(draft, block)
            else:
                _append(draft.blocks, block)

    def _add_result(self, draft: Draft, block: ToolResult) -> None:
        identifiers = self._calls.get(block.id)
        if identifiers:
            given = {one: earlier for earlier in self._since_answer() for one in earlier.results}
            identifier = next((one for one in identifiers if one not in given), identifiers[-1])
            given.get(identifier, draft).results[identifier] = _result(block, identifier)
            return
        draft.blocks.append({"type": "text", "text": f"Result of the call {block.id} of {block.name or 'a tool'}:"})
        for inner in block.blocks:
            _append(draft.blocks, inner)

    def _input_draft(self) -> Draft:
        last = self.drafts[-1] if self.drafts else None
        if last is None or last.role != "user":
            last = Draft("user")
            self.drafts.append(last)
        return last

    def _since_answer(self) -> Iterator[Draft]:
        """What came after the last answer, latest first."""
        return takewhile(lambda draft: draft.role != "assistant", reversed(self.drafts))

    def _missing(self) -> list[str]:
        """The calls of the last answer that have no result yet."""
        given = {identifier for draft in self._since_answer() for identifier in draft.results}
        return [one for identifiers in self._calls.values() for one in identifiers if one not in given]

    def _settle(self) -> None:
        """Answer the calls that nobody answered, and let go what waited for their results."""
        missing = self._missing()
        if missing:
            draft = self._input_draft()
            for identifier in missing:
                draft.results[identifier] = {
                    "type": "tool_result",
                    "tool_use_id": identifier,
                    "content": UNANSWERED,
                    "is_error": True,
                }
        self.drafts.extend(self._held)
        self._held = []
        self._calls = {}

    def _call(self, block: ToolCall) -> Wire:
        identifier = fit(block.id, allowed=_ID_ALPHABET, limit=_ID_LIMIT)
        number = 2
        while identifier in self._ids:
            identifier = fit(f"{block.id}_{number}", allowed=_ID_ALPHABET, limit=_ID_LIMIT)
            number += 1
        self._ids.add(identifier)
        self._calls.setdefault(block.id, []).append(identifier)
        given = free_text(block.arguments) if block.kind == "custom" else object_of(block.arguments)
        return place({"type": "tool_use", "id": identifier, "name": self._rules.names.wire(block.name), "input": given}, block.cache)


def _merged(drafts: Iterable[Draft]) -> list[Draft]:
    """Neighbours of one role as one message, after what stood between them was left out as empty."""
    out: list[Draft] = []
    for draft in drafts:
        if out and out[-1].role == draft.role != "system":
            out[-1].results.update(draft.results)
            out[-1].blocks.extend(draft.blocks)
        else:
            out.append(draft)
    return out


def _append(out: list[Wire | Raw], block: Block) -> None:
    """Add a block; a mark on text that is left out goes to the block before."""
    made = _wire(block)
    if made is not None:
        out.append(made)
    elif isinstance(block, Text) and block.cache is not None and out and isinstance(out[-1], dict):
        place(out[-1], block.cache)


def _said(blocks: Iterable[Block]) -> list[Wire | Raw]:
    out: list[Wire | Raw] = []
    for block in blocks:
        _append(out, block)
    return out


def _wire(block: Block) -> Wire | Raw | None:
    """A block of any kind but calls, results and reasoning; None for one that says nothing, or nothing to Anthropic."""
    if isinstance(block, Text):
        return _text(block) if block.text.strip() else None
    if isinstance(block, Refusal):
        return {"type": "text", "text": block.text} if block.text.strip() else None
    if isinstance(block, Image):
        return place(media.image(block), block.cache)
    if isinstance(block, File):
        return place(media.document(block), block.cache)
    if isinstance(block, Audio | Video):
        raise media.refuse(block)
    if isinstance(block, Opaque) and block.dialect == DIALECT:
        return block.raw
    return None


def _text(block: Text) -> Wire:
    out: Wire = {"type": "text", "text": block.text}
    cited = [found for one in block.annotations if (found := citations.replayable(bytes(one).decode())) is not None]
    if cited:
        out["citations"] = cited
    return place(out, block.cache)


def _result(block: ToolResult, identifier: str) -> Wire:
    content = _said(block.blocks)
    cache = block.cache
    for inner in content:
        if isinstance(inner, dict) and KEY in inner:
            cache = inner.pop(KEY)  # type: ignore[assignment]
    out: Wire = {"type": "tool_result", "tool_use_id": identifier}
    if content:
        out["content"] = content
    if block.is_error:
        out["is_error"] = True
    return place(out, cache)


def _thought(block: Reasoning, formats: frozenset[str]) -> list[Wire]:
    if block.format not in formats:
        return []
    if block.kind == "encrypted" and block.data:
        return [{"type": "redacted_thinking", "data": block.data}]
    if block.kind == "text" and block.signature:
        return [{"type": "thinking", "thinking": block.text, "signature": block.signature}]
    return []


def _joined_thoughts(blocks: Iterable[Block]) -> list[Block]:
    """Pieces of one thought put together: clients send back the text and the signature of a stream as separate items."""
    out: list[Block] = []
    for block in blocks:
        before = out[-1] if out else None
        if isinstance(block, Reasoning) and isinstance(before, Reasoning) and _continues(before, block):
            out[-1] = Reasoning(
                text=before.text + block.text,
                signature=block.signature,
                format=block.format,
                id=before.id,
                index=before.index,
            )
        else:
            out.append(block)
    return out


def _continues(before: Reasoning, block: Reasoning) -> bool:
    same = before.index is None or block.index is None or before.index == block.index
    families = before.format == block.format or (not block.text and before.format == "unknown")
    return before.kind == block.kind == "text" and before.signature is None and same and families


def _strip_end(blocks: list[Wire | Raw]) -> None:
    last = blocks[-1] if blocks else None
    if isinstance(last, dict) and last.get("type") == "text":
        stripped = str(last["text"]).rstrip()
        if stripped:
            last["text"] = stripped
        else:
            blocks.pop()
