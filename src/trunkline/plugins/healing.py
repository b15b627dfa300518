"""Response healing (contract 4.2): JSON that a model wrote almost right becomes right.

What stands around the JSON goes first (fences, words before and after it), then `json_repair` mends it. What comes out must be an object,
or keep the schema that was asked for; else the answer stays as it was. An answer that was cut off is never mended: what is missing cannot
be known.
"""

import re
import sys
import time
from collections.abc import Callable
from itertools import count, islice
from types import FrameType
from typing import Any, Final

import json_repair
import jsonschema_rs
import msgspec
from msgspec import structs

from trunkline.dialects.hub.answer import Answer, AnswerBlock
from trunkline.dialects.hub.conversation import Conversation, Format
from trunkline.plugins.stage import Note
from trunkline.protocol.catalogue import Endpoint

MAX_CHARACTERS: Final = 1_000_000
"""A longer text is left as it is."""
MAX_DEPTH: Final = 100
"""Deeper nesting is left as it is: to mend it would take seconds."""
MAX_SECONDS: Final = 2.0
"""Processor time after which a text is left as it is."""
_MOST_FENCES: Final = 3
_LOOK_EVERY: Final = 512
"""Calls between two looks at the clock."""
_FENCE: Final = re.compile(r"```(?:json|JSON)?[ \t]*\n?(.*?)(?:\n?```|\Z)", re.DOTALL)
_OPENING: Final = re.compile(r"[{\[]")


class Healing:
    """Mends the text of a whole answer (`plugins.stage.Stage`)."""

    revises = True

    def __init__(self, form: Format) -> None:
        self._form = form
        self._check = _validator(form)

    def before(self, conversation: Conversation, _endpoint: Endpoint) -> tuple[Conversation, Note | None]:
        """The conversation as it is."""
        return conversation, None

    def after(self, answer: Answer) -> tuple[Answer, Note | None]:
        """The answer with mended text, and whether it is better now. No note when there was nothing to mend."""
        texts = [block for block in answer.blocks if block.kind == "text"]
        said = "".join(block.joined("text") for block in texts)
        cut_off = answer.finish is not None and answer.finish.reason not in ("stop",)
        if not said or cut_off or self._good(_parsed(said)):
            return answer, None
        healed = self._healed(said)
        data: dict[str, object] = {"mode": self._form.kind, "improved": healed is not None, "original_length": len(said)}
        if healed is None:
            return answer, Note(type="response_healing", name="response-healing", summary="The answer could not be mended", data=data)
        data["healed_length"] = len(healed)
        note = Note(type="response_healing", name="response-healing", summary="The answer's JSON was mended", data=data)
        return structs.replace(answer, blocks=_with_text(answer.blocks, healed)), note

    def _healed(self, said: str) -> str | None:
        found = candidates(said)
        for candidate in found:
            value = _parsed(candidate)
            if value is not _BROKEN and self._good(value):
                return candidate
            value = _mended(candidate, MAX_SECONDS / len(found))
            if self._good(value):
                return msgspec.json.encode(value).decode()
        return None

    def _good(self, value: Any) -> bool:
        return value is not _BROKEN and (isinstance(value, dict) if self._check is None else bool(self._check.is_valid(value)))


def heals(form: Format | None) -> bool:
    """Whether an answer of this form can be healed."""
    return form is not None and form.kind in ("json_object", "json_schema")


def candidates(said: str) -> list[str]:
    """What may be the JSON of a text, the likeliest first: what a fence holds, what follows the first bracket, all of it."""
    fenced = [match[1].strip() for match in islice(_FENCE.finditer(said), _MOST_FENCES)]
    start = _OPENING.search(said)
    found = [*fenced, said[start.start() :].strip() if start is not None else "", said.strip()]
    return [one for one in dict.fromkeys(found) if _OPENING.search(one)]


class _Broken:
    """Stands for what is no JSON."""


_BROKEN: Final = _Broken()


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _BROKEN


def _mended(text: str, seconds: float) -> Any:
    if len(text) > MAX_CHARACTERS or _depth(text) > MAX_DEPTH:
        return _BROKEN
    try:
        value = _within(seconds, lambda: json_repair.loads(text, skip_json_loads=True))
    except (ValueError, RecursionError, _Overdue):
        return _BROKEN
    return _BROKEN if value == "" else value


class _Overdue(Exception):
    """The work took too long."""


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """What the work gives, if it takes no more processor time of this thread. Raises _Overdue.

    The library needs quadratic time for some texts: 3 KB of `}{0.` take it two seconds. Work in Python can be ended from within only, and
    the hook of profilers is called often enough for that.
    """
    end = time.thread_time() + seconds
    calls = count(1)

    def look(_frame: FrameType, _event: str, _argument: object) -> None:
        if not next(calls) % _LOOK_EVERY and time.thread_time() > end:
            raise _Overdue

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        return work()
    finally:
        sys.setprofile(before)


def _depth(text: str) -> int:
    """How deeply brackets nest at most, strings included: an upper bound."""
    depth = most = 0
    for bracket in re.findall(r"[{}\[\]]", text):
        depth += 1 if bracket in "{[" else -1
        most = max(most, depth)
    return most


def _validator(form: Format) -> Any:
    """The check of a schema; None where any object will do, also for a schema that is none itself."""
    if form.kind != "json_schema" or form.schema is None:
        return None
    try:
        return jsonschema_rs.validator_for(msgspec.json.decode(form.schema))
    except (ValueError, jsonschema_rs.ValidationError):
        return None


def _with_text(blocks: list[AnswerBlock], text: str) -> list[AnswerBlock]:
    """The blocks with this text in place of all they said; it stands where the first text stood."""
    out: list[AnswerBlock] = []
    left: str | None = text
    for block in blocks:
        if block.kind != "text":
            out.append(block)
        elif left is not None:
            out.append(structs.replace(block, parts={**_without_words(block), "text": [left]}))
            left = None
    return out


def _without_words(block: AnswerBlock) -> dict[Any, list[str]]:
    """The parts of a text that stay true when its words change: not the probabilities of its tokens."""
    return {kind: parts for kind, parts in block.parts.items() if kind == "annotation"}
