"""A gateway configuration with one model for each upstream dialect, all of them the mock; and what SDK tests ask of them."""

from typing import Any

from town import CALM, PLAIN, model

from trunkline.mock.script import Answer, Match, Rule, ToolCall
from trunkline.mock.thread import MockServer

DIALECTS = ("chat", "responses", "messages", "gemini", "converse", "cohere")
QUIRKS = {
    "chat": 'quirks = { reasoning_out = "reasoning_content", reasoning_in = "reasoning_content" }',
    "messages": 'quirks = { betas = { "*" = "" } }',
    "cohere": 'quirks = { reasoning_in = "keep" }',
}

QUESTION = "How is the weather in Paris?"
CITY: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
THOUGHT = "I look it up."
SUNNY = "It is sunny in Paris."
SEALED = b"Em1vY2"
"""How every signature and all encrypted reasoning of the mock begins."""

WEATHER = Answer(reasoning=THOUGHT, tool_calls=(ToolCall(name="weather", arguments={"city": "Paris"}),))
LOOP = (Rule(match=Match(results=False), answer=WEATHER), Rule(match=Match(results=True), answer=Answer(text=SUNNY)))
"""The mock thinks and calls a tool; when it gets the result, it answers."""

SEALING = ("responses", "messages", "gemini", "converse")
"""Dialects whose reasoning is signed or encrypted, and has to come back as it was."""
WORDLESS = ("responses", "gemini")
"""Dialects to which the seal alone goes back: OpenAI encrypts what was thought, and Gemini's summaries of thoughts are not its input."""


def name_of(dialect: str) -> str:
    """The model that is served in a dialect."""
    return f"poly/{dialect}"


def polyglot(origin: str) -> str:
    """The whole configuration; `origin` is the mock's."""
    return "\n".join(_speaker(dialect, origin) for dialect in DIALECTS)


def _speaker(dialect: str, origin: str) -> str:
    base = origin if dialect == "converse" else f"{origin}/v2" if dialect == "cohere" else f"{origin}/v1"
    provider = f'[[providers]]\nslug = "{dialect}-house"\nname = "{dialect.title()} House"\ndialect = "{dialect}"\nbase_url = "{base}"\n'
    endpoint = f'[[endpoints]]\nmodel = "{name_of(dialect)}"\nprovider = "{dialect}-house"\nupstream_model = "echo-1"\npricing = {PLAIN}\n'
    return f'{provider}api_key = "secret"\n{QUIRKS.get(dialect, "")}\n{CALM}\n{model(name_of(dialect))}\n{endpoint}'


def came_back(upstream: MockServer, dialect: str) -> bool:
    """Whether the last request brought the reasoning of the answer before."""
    return brings_back(bytes(upstream.seen()[-1].body), dialect)  # type: ignore[arg-type]  # every request here is JSON


def brings_back(body: bytes, dialect: str) -> bool:
    """Whether a request has reasoning in it: its seal where there is one, and its words, maybe in pieces, where they count."""
    return (dialect not in SEALING or SEALED in body) and (dialect in WORDLESS or all(word.encode() in body for word in THOUGHT.split()))
