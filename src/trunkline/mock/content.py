"""What is said, worked out from a call and the answer of its rule, before a dialect gives it a shape.

Pure and deterministic: the same call with the same serial number gives the same content, so every answer can be compared.
"""

import re

import msgspec
from msgspec import Struct

from trunkline.mock.call import Call
from trunkline.mock.instance import instance
from trunkline.mock.script import Answer, Citation, Tokens, ToolCall

CREATED = 1_750_000_000
"""The time of every answer, in Unix seconds: fixed, so that answers can be compared."""

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG of one pixel in base64: every picture the mock paints."""

_WORD = re.compile(r"\S+\s*|\s+")


class Made(Struct, frozen=True, kw_only=True):
    """A tool call with the text of its arguments. `id` is empty where the dialect shall number it."""

    name: str
    arguments: str
    id: str = ""

    @property
    def value(self) -> object:
        """The arguments as JSON; the text itself where it is none."""
        try:
            found: object = msgspec.json.decode(self.arguments)
        except msgspec.DecodeError:
            return self.arguments
        return found


class Spent(Struct, frozen=True, kw_only=True):
    """Usage in tokens. `prompt` includes the three of the cache, `completion` includes `reasoning`."""

    prompt: int
    completion: int
    reasoning: int = 0
    cached: int = 0
    written: int = 0
    written_1h: int = 0

    @property
    def fresh(self) -> int:
        """Prompt tokens that neither came from the cache nor went there."""
        return self.prompt - self.cached - self.written - self.written_1h


class Content(Struct, frozen=True, kw_only=True):
    """What is said: texts in the pieces they are streamed in. `signed`: what stands as signature of the reasoning, empty = to be made."""

    text: tuple[str, ...]
    reasoning: tuple[str, ...]
    tool_calls: tuple[Made, ...]
    finish: str
    spent: Spent
    signed: str = ""
    redacted: str = ""
    refusal: str = ""
    images: int = 0
    citations: tuple[Citation, ...] = ()
    realm: str = "mock"

    @property
    def ending(self) -> str:
        """The finish, where a vendor has a word of its own for refusals."""
        return "content_filter" if self.refusal and self.finish == "stop" else self.finish

    @property
    def whole_text(self) -> str:
        return "".join(self.text)

    @property
    def whole_reasoning(self) -> str:
        return "".join(self.reasoning)


def pieces(text: str, words: int) -> tuple[str, ...]:
    """The text in runs of `words` words, spaces kept: joined they are the text."""
    found = _WORD.findall(text)
    return tuple("".join(found[at : at + words]) for at in range(0, len(found), max(1, words)))


def slices(text: str, count: int) -> tuple[str, ...]:
    """The text in at most `count` pieces of about the same length; none for no text."""
    step = max(1, -(-len(text) // max(1, count)))
    return tuple(text[at : at + step] for at in range(0, len(text), step))


def encode(value: object) -> bytes:
    """Compact JSON."""
    return msgspec.json.encode(value)


def _fitting(name: str, parameters: object) -> Made:
    made = instance(parameters)
    return Made(name=name, arguments=encode(made if isinstance(made, dict) else {}).decode())


def _scripted(call: ToolCall) -> Made:
    arguments = call.arguments if isinstance(call.arguments, str) else encode(call.arguments).decode()
    return Made(name=call.name, arguments=arguments, id=call.id)


def _tool_calls(call: Call, answer: Answer) -> tuple[Made, ...]:
    """The scripted calls, or those of offered tools, while the rounds last; else one for a forced tool choice."""
    if call.rounds < answer.rounds:
        made = tuple(_scripted(scripted) for scripted in answer.tool_calls)
        made += tuple(_fitting(name, parameters) for name, parameters in call.tools[: answer.offered])
        if made:
            return made
    if call.forced_tool:
        return (_fitting(call.forced_tool, dict(call.tools).get(call.forced_tool, {})),)
    return ()


def _said(call: Call, answer: Answer) -> tuple[str, ...]:
    """The text in pieces: numbered words for `events`, the scripted text, a value for a schema, what the tools answered, or the echo."""
    if answer.events:
        return tuple(f"w{number} " for number in range(answer.events))
    if answer.text is not None:
        return pieces(answer.text, answer.words)
    if call.schema is not None:
        return pieces(encode(instance(call.schema)).decode(), answer.words)
    return pieces(f"The tools answered: {'; '.join(call.results)}" if call.results else call.text, answer.words)


def _spent(call: Call, tokens: Tokens, spoken: int, thought: int) -> Spent:
    reasoning = thought if tokens.reasoning is None else tokens.reasoning
    kept = tokens.cached + tokens.written + tokens.written_1h
    return Spent(
        prompt=max(call.words, kept) if tokens.prompt is None else tokens.prompt,
        completion=spoken + reasoning if tokens.completion is None else tokens.completion,
        reasoning=reasoning,
        cached=tokens.cached,
        written=tokens.written,
        written_1h=tokens.written_1h,
    )


def compose(call: Call, answer: Answer) -> Content:
    """Works out what is said. An echo is cut at the caller's `max_tokens` words, with the finish reason `length`."""
    calls = _tool_calls(call, answer)
    text = () if calls and answer.text is None and not answer.events else _said(call, answer)
    limit = call.max_tokens if answer.text is None and not answer.events and call.schema is None else None
    cut = limit is not None and limit < len(text)
    text = text[:limit] if cut else text
    reasoning = pieces(answer.reasoning, answer.words)
    natural = "tool_calls" if calls else "length" if cut else "stop"
    spoken = len(text) + sum(len(made.arguments.split()) + 1 for made in calls)
    return Content(
        text=text,
        reasoning=reasoning,
        tool_calls=calls,
        finish=answer.finish_reason or natural,
        spent=_spent(call, answer.tokens, spoken, len(reasoning)),
        signed=answer.signature,
        redacted=answer.redacted,
        refusal=answer.refusal,
        images=answer.images,
        citations=answer.citations,
        realm=call.realm,
    )
