"""The turns of a conversation as Converse's `system` and `messages` (adapters 1.4): roles alternate strictly, the results of all calls of
an answer stand first in the next message, nothing is blank, and reasoning of other families stays away.

Where an endpoint knows no tools, calls and results become text.
"""

import base64
import binascii
from collections.abc import Iterable
from itertools import takewhile

from msgspec import Struct, field

from trunkline.dialects.converse import DIALECT, FORMAT
from trunkline.dialects.converse.content import block_of
from trunkline.dialects.converse.marks import point
from trunkline.dialects.converse.tools import ALPHABET, LIMIT, free_text, object_of
from trunkline.dialects.hub.conversation import Block, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult, Turn
from trunkline.dialects.names import Names, fit

Wire = dict[str, object]

FILLER = "."
"""What is put where Converse demands text and there is none: before an answer that begins the conversation, and beside a document."""
UNANSWERED = "The call was not answered."
EMPTY = "The tool gave nothing back."
RAW_DATA = "converse:"
"""Before `data` of redacted reasoning that is no text: what follows is the base64 as Bedrock gave it."""
_MEDIA = ("image", "document", "video", "audio")


class Rules(Struct, frozen=True):
    """What an endpoint accepts: `formats` of reasoning, whether media may stand inside of results, and whether it knows tools."""

    names: Names
    formats: frozenset[str]
    media_in_results: bool = False
    tools: bool = True


class Draft(Struct):
    """A message in the making. `results` come first in a user's message, by the id of their call."""

    role: str
    blocks: list[object] = field(default_factory=list)
    results: dict[str, list[Wire]] = field(default_factory=dict)

    def content(self) -> list[object]:
        """The blocks in the order in which they are sent."""
        return [*(block for result in self.results.values() for block in result), *self.blocks]


class History:
    """Takes turns in order; `system` and `messages` are what comes of them after `close`."""

    def __init__(self, rules: Rules) -> None:
        self.system: list[object] = []
        self.messages: list[Wire] = []
        self._rules = rules
        self._drafts: list[Draft] = []
        self._calls: dict[str, list[str]] = {}
        self._ids: set[str] = set()
        self._documents: set[str] = set()

    def add(self, turn: Turn) -> None:
        """Take the next turn. System turns go to the front, wherever they stood."""
        if turn.role == "system":
            for block in turn.blocks:
                if isinstance(block, Text | Refusal):
                    self._append(self.system, block)
        elif turn.role == "assistant":
            self._add_answer(turn)
        else:
            self._add_input(turn)

    def close(self) -> None:
        """The end: calls without results are answered, the first message is the user's, the last does not end with blanks."""
        self._settle()
        drafts = [draft for draft in self._drafts if draft.content()]
        if not drafts or drafts[0].role != "user":
            drafts.insert(0, Draft("user", [{"text": FILLER}]))
        for draft in drafts:
            content = draft.content()
            if self.messages and self.messages[-1]["role"] == draft.role:
                content = [*self.messages.pop()["content"], *content]  # type: ignore[misc]
            self.messages.append({"role": draft.role, "content": _beside_documents(content)})
        if drafts[-1].role == "assistant":
            _strip_end(self.messages[-1]["content"])  # type: ignore[arg-type]

    def _add_answer(self, turn: Turn) -> None:
        draft = self._drafts[-1] if self._drafts else None
        if draft is None or draft.role != "assistant":
            self._settle()
            draft = Draft("assistant")
            self._drafts.append(draft)
            self._ids = set()
        for block in _joined_thoughts(turn.blocks):
            if isinstance(block, Reasoning):
                draft.blocks.extend(self._thought(block))
            elif isinstance(block, ToolCall):
                self._call(draft, block)
            elif isinstance(block, Text | Refusal | Opaque):
                self._append(draft.blocks, block)

    def _add_input(self, turn: Turn) -> None:
        draft = self._input_draft()
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                self._result(draft, block)
            else:
                self._append(draft.blocks, block)

    def _result(self, draft: Draft, block: ToolResult) -> None:
        identifiers = self._calls.get(block.id)
        if not identifiers:
            draft.blocks.append({"text": f"Result of {block.name or 'a tool'}:"})
            for inner in block.blocks:
                self._append(draft.blocks, inner)
            return
        identifier = next((one for one in identifiers if one not in draft.results), identifiers[-1])
        written: list[object] = []
        for inner in block.blocks:
            self._append(written, inner)
        content = [one for one in written if isinstance(one, dict) and "cachePoint" not in one]
        beside = [one for one in content if not self._fits(one)]
        result: Wire = {"toolUseId": identifier, "content": [one for one in content if self._fits(one)] or [{"text": EMPTY}]}
        if block.is_error:
            result["status"] = "error"
        draft.results[identifier] = [{"toolResult": result}]
        if block.cache is not None or len(written) > len(content):
            draft.results[identifier].append(point(block.cache or "5m"))
        if beside:
            draft.blocks.extend([{"text": f"Result of {block.name or identifier}:"}, *beside])

    def _fits(self, block: Wire) -> bool:
        """Whether a block may stand inside of a result."""
        kind = next((key for key in _MEDIA if key in block), None)
        return kind is None or (self._rules.media_in_results and kind != "audio")

    def _input_draft(self) -> Draft:
        last = self._drafts[-1] if self._drafts else None
        if last is None or last.role != "user":
            last = Draft("user")
            self._drafts.append(last)
        return last

    def _settle(self) -> None:
        """Answer the calls that nobody answered."""
        since = takewhile(lambda draft: draft.role != "assistant", reversed(self._drafts))
        given = {identifier for draft in since for identifier in draft.results}
        missing = [one for identifiers in self._calls.values() for one in identifiers if one not in given]
        if missing:
            draft = self._input_draft()
            for one in missing:
                draft.results[one] = [{"toolResult": {"toolUseId": one, "content": [{"text": UNANSWERED}], "status": "error"}}]
        self._calls = {}

    def _call(self, draft: Draft, block: ToolCall) -> None:
        if not self._rules.tools:
            draft.blocks.append({"text": f"Called the tool {block.name}: {block.arguments}"})
            return
        identifier = fit(block.id, allowed=ALPHABET, limit=LIMIT)
        number = 2
        while identifier in self._ids:
            identifier = fit(f"{block.id}_{number}", allowed=ALPHABET, limit=LIMIT)
            number += 1
        self._ids.add(identifier)
        self._calls.setdefault(block.id, []).append(identifier)
        given = free_text(block.arguments) if block.kind == "custom" else object_of(block.arguments)
        draft.blocks.append({"toolUse": {"toolUseId": identifier, "name": self._rules.names.wire(block.name), "input": given}})
        if block.cache is not None:
            draft.blocks.append(point(block.cache))

    def _append(self, out: list[object], block: Block) -> None:
        """Add a block, and a cache point where it is marked, also where it is blank itself."""
        if isinstance(block, Opaque):
            out.extend([block.raw] if block.dialect == DIALECT else [])
            return
        made = block_of(block)
        if made is not None:
            out.append(self._named(made))
        ttl = getattr(block, "cache", None)
        if ttl is not None:
            out.append(point(ttl))

    def _named(self, block: Wire) -> Wire:
        """A document with a name that no other document has."""
        document = block.get("document")
        if isinstance(document, dict):
            name, number = document["name"], 2
            while document["name"] in self._documents:
                document["name"] = f"{name} {number}"
                number += 1
            self._documents.add(document["name"])
        return block

    def _thought(self, block: Reasoning) -> list[Wire]:
        """A thought as it came; of Claude's, only signed ones are taken back."""
        if block.format not in self._rules.formats or block.kind == "summary":
            return []
        if block.kind == "encrypted":
            return [{"reasoningContent": {"redactedContent": redacted(block.data)}}] if block.data else []
        if not block.signature and (block.format == FORMAT or not block.text):
            return []
        text: Wire = {"text": block.text, "signature": block.signature} if block.signature else {"text": block.text}
        return [{"reasoningContent": {"reasoningText": text}}]


def redacted(data: str) -> str:
    """`redactedContent` of encrypted reasoning: base64 once more, as Bedrock carries Anthropic's text."""
    if data.startswith(RAW_DATA):
        return data.removeprefix(RAW_DATA)
    return base64.b64encode(data.encode("utf-8", "replace")).decode()


def revealed(content: str) -> str:
    """The data of encrypted reasoning in a `redactedContent`: the text that Anthropic itself gives, else the base64 as it is, marked."""
    try:
        text = base64.b64decode(content, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return RAW_DATA + content
    return text if redacted(text) == content else RAW_DATA + content


def _joined_thoughts(blocks: Iterable[Block]) -> list[Block]:
    """Pieces of one thought put together: clients send back the text and the signature of a stream as separate items."""
    out: list[Block] = []
    for block in blocks:
        before = out[-1] if out else None
        if isinstance(block, Reasoning) and isinstance(before, Reasoning) and _continues(before, block):
            family = before.format if before.format != "unknown" else block.format
            out[-1] = Reasoning(text=before.text + block.text, signature=block.signature, format=family, id=before.id, index=before.index)
        else:
            out.append(block)
    return out


def _continues(before: Reasoning, block: Reasoning) -> bool:
    same = before.index is None or block.index is None or before.index == block.index
    families = before.format == block.format or "unknown" in (before.format, block.format)
    return before.kind == block.kind == "text" and before.signature is None and same and families


def _beside_documents(content: list[object]) -> list[object]:
    """A message with a document must have text, and has it before the document."""
    kinds = [next(iter(block), "") if isinstance(block, dict) else "" for block in content]
    if "document" not in kinds or "text" in kinds:
        return content
    place = kinds.index("document")
    return [*content[:place], {"text": FILLER}, *content[place:]]


def _strip_end(content: list[object]) -> None:
    last = content[-1] if content else None
    if isinstance(last, dict) and isinstance(last.get("text"), str):
        last["text"] = last["text"].rstrip()
