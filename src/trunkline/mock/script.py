"""The script of a mock upstream: rules that match a request and say what it is answered.

A script is TOML or JSON (a file, or the body of `POST /_mock/rules`), or these Structs themselves in tests:

    models = ["echo-1"]

    [[rules]]
    match = { model = "echo-1", stream = true }
    first = 2                                   # the first two matching calls only
    fault = { kind = "status", status = 429, retry_after = 1 }

    [[rules]]
    match = { model = "echo-1" }
    answer = { text = "Hello from the mock.", reasoning = "Thinking." }
    pace = { event_ms = 10 }

The first rule that matches and whose count is not used up decides; without one the last message is echoed.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from trunkline.errors import ConfigError

UsagePlace = Literal["asked", "always", "finish", "every", "never"]


class ToolCall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call the answer makes. `arguments` is an object, or text sent as it is (broken JSON too). `id` empty = a numbered one."""

    name: str
    arguments: dict[str, object] | str = ""
    id: str = ""


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said. Every field has a default, so `Answer()` echoes the last message.

    `events`: number of content events, which replaces the text by as many numbered words. `words`: words in an event. `tool_pieces`:
    events in which the arguments of one call are streamed. `usage`: the vendor's usage object as it is (absent = counted words).
    `usage_place`: `asked` = a last chunk with empty `choices` when `stream_options.include_usage` is set, `always` = that chunk unasked,
    `finish` = inside the chunk with the finish reason, `every` = in each chunk, `never` = in no answer at all. `extra` is
    merged into each chunk or the reply at the top level.
    """

    text: str | None = None
    reasoning: str = ""
    reasoning_field: str = "reasoning_content"
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_pieces: int = 3
    finish_reason: str = ""
    usage: dict[str, object] | None = None
    usage_place: UsagePlace = "asked"
    model: str = ""
    events: int = 0
    words: int = 1
    headers: dict[str, str] = {}
    extra: dict[str, object] = {}


class Pace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the bytes leave. Milliseconds before the head, before the first content event, and between events; 0 = at once.

    Events that are not kept apart by a delay leave in one write if `burst`, else each in its own. `sizes` cuts the body into HTTP chunks
    of these sizes in turn (bytes), across event borders; the delays between events do not apply then.
    """

    head_ms: float = 0
    first_ms: float = 0
    event_ms: float = 0
    burst: bool = True
    sizes: tuple[int, ...] = ()


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong. `kind` is a name of `faults.FAULTS`, which says which of the other fields it reads.

    `after`: bytes of the whole response (head included). `events`: content events that come first. `seconds`, `interval_ms`: durations.
    `size`: bytes. `reset`: end with RST instead of FIN. `shape`: a name of `refusals.SHAPES`. `body`: replaces what the fault would send.
    """

    kind: str
    status: int = 500
    shape: str = "openai"
    code: str = ""
    message: str = ""
    body: str = ""
    retry_after: str | int | float = ""
    after: int = 0
    events: int = 1
    seconds: float = 3600
    interval_ms: float = 10
    size: int = 1
    reset: bool = False
    encoding: Literal["gzip", "deflate"] = "gzip"


class Match(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests a rule is about. Texts are shell patterns (`*`, `?`); absent fields match everything. Header names are in lower
    case."""

    model: str = "*"
    headers: dict[str, str] = {}
    stream: bool | None = None
    contains: str = ""


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. Of the calls that match, it skips `skip`, then takes every `every`-th, at most `first` of them (0 = no end)."""

    name: str = ""
    match: Match = Match()
    skip: int = 0
    every: Annotated[int, Meta(ge=1)] = 1
    first: int = 0
    answer: Answer = Answer()
    pace: Pace = Pace()
    fault: Fault | None = None


class Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole script: the models that `GET /models` lists, and the rules, first match first."""

    models: tuple[str, ...] = ("echo-1",)
    rules: tuple[Rule, ...] = ()


class Facts(Struct, frozen=True, kw_only=True):
    """What a rule may look at: header names in lower case, `text` = the last message."""

    model: str
    headers: Mapping[str, str]
    stream: bool
    text: str


class Rules:
    """The rules of a script with the number of calls each has matched."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._matched = [0] * len(self._rules)

    def choose(self, facts: Facts) -> Rule | None:
        """The rule for this call, which is counted at every rule it matched on the way. None = no rule."""
        for index, rule in enumerate(self._rules):
            if matches(rule.match, facts):
                number = self._matched[index] - rule.skip
                self._matched[index] += 1
                if number >= 0 and number % rule.every == 0 and (not rule.first or number // rule.every < rule.first):
                    return rule
        return None


def matches(match: Match, facts: Facts) -> bool:
    """Whether the request is one the rule is about."""
    return (
        fnmatchcase(facts.model, match.model)
        and (match.stream is None or match.stream == facts.stream)
        and match.contains in facts.text
        and all(fnmatchcase(facts.headers.get(name, ""), pattern) for name, pattern in match.headers.items())
    )


def parse(source: bytes, *, where: str, toml: bool = False) -> Script:
    """A script from TOML or JSON. Raises ConfigError naming `where` and the field."""
    try:
        return msgspec.toml.decode(source, type=Script) if toml else msgspec.json.decode(source, type=Script)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(where, str(error), "a script of `models` and `rules` (trunkline.mock.script)") from None


def load(path: Path) -> Script:
    """The script of a file: JSON if its name ends in `.json`, else TOML. Raises ConfigError."""
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"the script cannot be read: {error.strerror}", "the path of a TOML or JSON file") from None
    return parse(source, where=str(path), toml=path.suffix != ".json")
