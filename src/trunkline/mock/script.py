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

The first rule that matches and whose count is not used up decides; without one the last message is echoed. The same script is spoken
in every dialect: what is here has neutral names, `writing` gives it each vendor's shape. `spells` are faults by the clock, `fleet` more
endpoints with ports and scripts of their own.
"""

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


class Tokens(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The usage of an answer in tokens; None = counted words. `prompt` includes `cached`, `written` and `written_1h` (cache reads and
    writes), `completion` includes `reasoning`; the dialects take them apart as their vendors do."""

    prompt: int | None = None
    completion: int | None = None
    reasoning: int | None = None
    cached: int = 0
    written: int = 0
    written_1h: int = 0


class Citation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source of the text between two characters."""

    url: str
    title: str = ""
    start: int = 0
    end: int = 0


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said. Every field has a default, so `Answer()` echoes the last message, or tells what the tools answered.

    `events`: number of content events, which replaces the text by as many numbered words. `words`: words in an event.

    `reasoning` comes before the text, with a `signature` where the dialect has one (empty = one the mock makes and later knows again,
    see `seals`). `redacted`: reasoning that only its vendor can read. `reasoning_field` is for chat.

    `tool_calls` are made, or with `offered` calls of as many of the tools that the request offers, with arguments that fit. Both only
    until the conversation holds `rounds` rounds of tool calls; then comes text. A tool that the request forces is called in any case.
    `tool_pieces`: events in which the arguments of one call are streamed.

    `finish_reason`: `stop`, `length`, `tool_calls`, `content_filter` or `error` in the vendor's word for it; anything else as it is.
    `tokens`: the usage; `usage`: the vendor's usage object as it is. `usage_place` (chat): `asked` = a last chunk with empty `choices` when
    `stream_options.include_usage` is set, `always` = that chunk unasked, `finish` = inside the chunk with the finish reason, `every` = in
    each chunk; `never` = in no answer at all, in any dialect. `images`: pictures of one pixel. `dimensions`: length of embeddings.
    `extra` is merged into each chunk or the reply at the top level.
    """

    text: str | None = None
    reasoning: str = ""
    reasoning_field: str = "reasoning_content"
    signature: str = ""
    redacted: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    offered: int = 0
    rounds: int = 1
    tool_pieces: int = 3
    images: int = 0
    citations: tuple[Citation, ...] = ()
    dimensions: int = 8
    finish_reason: str = ""
    tokens: Tokens = Tokens()
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
    `size`: bytes. `reset`: end with RST instead of FIN. `shape`: a name of `refusals.SHAPES`, empty = the dialect's own. `body`: replaces
    what the fault would send. `headers`: more headers of a refusal (`x-ratelimit-*`).
    """

    kind: str
    status: int = 500
    shape: str = ""
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
    headers: dict[str, str] = {}


class Match(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests a rule is about. Texts are shell patterns (`*`, `?`); absent fields match everything. Header names are in lower
    case. `dialect`: a name of `dialects.DIALECTS`. `results`: whether the last turn holds results of tools."""

    model: str = "*"
    dialect: str = "*"
    results: bool | None = None
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


class Spell(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault by the clock: an outage, a brown-out, a slow start, a rate limit. Of the first spell that is on, `fault` and `pace` are used
    where no rule has a fault.

    `start`, `end`: seconds since the mock (or the fleet's clock) was started; an `end` of 0 = for ever. `share`: the part of the calls
    that it hits, spread evenly. `rate`: calls for each second that pass unharmed, at most one second's worth at once; 0 = none.
    """

    name: str = ""
    start: float = 0
    end: float = 0
    share: Annotated[float, Meta(ge=0, le=1)] = 1
    rate: Annotated[float, Meta(ge=0)] = 0
    fault: Fault | None = None
    pace: Pace | None = None


class Scene(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one endpoint plays: the models that `GET /models` lists, the rules, first match first, and the spells.

    `strict`: top-level keys that the vendor does not know are refused, and more that a vendor is strict about (`checks`). `allow`:
    further keys that are no mistake; with `system` Messages also take system messages among the others. `shape`: the form of chat's
    refusals, a name of `refusals.SHAPES`. `realm`: whose signatures it accepts; those of a mock with another realm are foreign.
    """

    models: tuple[str, ...] = ("echo-1",)
    rules: tuple[Rule, ...] = ()
    spells: tuple[Spell, ...] = ()
    strict: bool = False
    allow: tuple[str, ...] = ()
    shape: str = "openai"
    realm: str = "mock"


class Member(Scene, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint of a fleet. `port` 0 = a free one."""

    name: str
    port: int = 0


class Script(Scene, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole script: what the mock itself plays, and further endpoints beside it."""

    fleet: tuple[Member, ...] = ()


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
