"""The body an upstream gets: the caller's top-level keys spliced, everything below them byte for byte (docs/architecture.md, decision 3).

`compile` reads an endpoint's quirks once into a list of steps; `Splicer.splice` runs only the steps that can apply.
"""

from collections.abc import Callable

import msgspec
from msgspec import Raw

from trunkline.dialects.chat import history, tools
from trunkline.dialects.chat.effort import effort_word
from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.parameters import ALIASES, PARAMETERS
from trunkline.protocol.catalogue import Endpoint

Body = dict[str, Raw]
Step = Callable[[Body, ChatRequest], None]

GATEWAY_KEYS = frozenset(
    (
        *("models", "provider", "plugins", "route", "transforms", "preset", "session_id", "usage", "debug", "trace", "user", "metadata"),
        *("cache", "fallbacks", "max_tool_calls", "stop_server_tools_when", "structured_outputs"),
    )
)
"""Keys that speak to the gateway and never reach an upstream; `user` and `metadata` are the caller's own (contract 2.1)."""

EXTENSIONS = frozenset(("reasoning", "reasoning_effort", "include_reasoning", "cache_control", "image_config", "x_search_filter", "speed"))
"""OpenRouter's own words: only an upstream that understands its `reasoning` object gets them."""

_LIMITS = ("max_tokens", "max_completion_tokens")
_REASONING = ("reasoning", "reasoning_effort", "include_reasoning")
_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")
_WITH_USAGE = Raw(b'{"include_usage":true}')
_OPTIONS = msgspec.json.Decoder(dict[str, Raw] | None)
_JSON_OBJECT = Raw(b'{"type":"json_object"}')
_encode = msgspec.json.Encoder().encode


def prepare(request: ChatRequest, endpoint: Endpoint) -> bytes:
    """The upstream body for one attempt. Callers with many requests keep `compile(endpoint)`."""
    return compile(endpoint).splice(request)


def compile(endpoint: Endpoint) -> "Splicer":
    """Decide once what an endpoint needs."""
    return Splicer(endpoint)


class Splicer:
    """Rewrites requests for one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        quirks = endpoint.quirks
        self._emulates = quirks.tools == "schema"
        self._model = Raw(msgspec.json.encode(endpoint.upstream_model))
        self._dropped = GATEWAY_KEYS | set(quirks.drop) | _unsupported(endpoint)
        if not quirks.native_reasoning:
            self._dropped |= EXTENSIONS
        self._editor = history.editor(quirks)
        self._steps = tuple(_steps(endpoint))

    def splice(self, request: ChatRequest) -> bytes:
        """The upstream body. When no quirk touches `messages` or `tools`, their bytes are those of the caller."""
        dropped = self._dropped
        body = {key: value for key, value in request.fields.items() if key not in dropped}
        body["model"] = self._model
        body["messages"] = self._editor(body["messages"], request.traits)
        for step in self._steps:
            step(body, request)
        return _encode(body)

    def forced_tool(self, request: ChatRequest) -> str | None:
        """What `ChatStream` and `ChatReply` get as `forced_tool`: the tool's name ("" = one of several) when a call is emulated, else
        None."""
        return tools.forced_name(request) if self._emulates else None


def _unsupported(endpoint: Endpoint) -> set[str]:
    supported = endpoint.supported_parameters
    if supported is None:
        return set()
    known = {ALIASES.get(name, name) for name in supported}
    missing = {name for name in PARAMETERS if ALIASES.get(name, name) not in known}
    if "structured_outputs" in known:
        missing.discard("response_format")
    if endpoint.quirks.tools == "schema":
        missing -= set(_TOOLS)
    return missing


def _steps(endpoint: Endpoint) -> list[Step]:
    quirks = endpoint.quirks
    supported = endpoint.supported_parameters
    steps: list[Step] = [_limits(quirks.max_tokens_key), _stream_options(on_request=quirks.stream_usage == "on_request")]
    reasons = supported is None or not supported.isdisjoint(_REASONING)
    if not quirks.native_reasoning and quirks.reasoning_effort_key and reasons:
        steps.append(_efforts(quirks.reasoning_effort_key, quirks.effort_map))
    if quirks.json_schema != "native":
        steps.append(_formats(quirks.json_schema))
    if quirks.tools != "native":
        steps.append(_tools(emulate=quirks.tools == "schema", role=quirks.system_role, merge=quirks.merge_system))
    elif quirks.tool_choice_map:
        steps.append(_choices(quirks.tool_choice_map))
    if quirks.rename:
        steps.append(_renames(quirks.rename))
    if quirks.set:
        steps.append(_constants({name: Raw(msgspec.json.encode(value)) for name, value in quirks.set.items()}))
    return steps


def _limits(key: str) -> Step:
    other = _LIMITS[0] if key == _LIMITS[1] else _LIMITS[1]

    def step(body: Body, request: ChatRequest) -> None:
        if body.pop(other, None) is not None and request.max_tokens is not None:
            body[key] = Raw(b"%d" % request.max_tokens)

    return step


def _stream_options(*, on_request: bool) -> Step:
    def step(body: Body, request: ChatRequest) -> None:
        options = body.pop("stream_options", None)
        if not on_request or not request.stream:
            return
        asked = None if options is None else _OPTIONS.decode(options)
        if asked:
            asked["include_usage"] = Raw(b"true")
            body["stream_options"] = Raw(msgspec.json.encode(asked))
        else:
            body["stream_options"] = _WITH_USAGE

    return step


def _efforts(key: str, words: dict[str, str]) -> Step:
    def step(body: Body, request: ChatRequest) -> None:
        if request.effort is None and request.reasoning_tokens is None:
            return
        effort = effort_word(request)
        word = None if effort is None else words.get(effort, effort)
        if word:
            body[key] = Raw(msgspec.json.encode(word))

    return step


def _formats(support: str) -> Step:
    def step(body: Body, request: ChatRequest) -> None:
        if support == "none":
            body.pop("response_format", None)
        elif request.schema_format and "response_format" in body:
            body["response_format"] = _JSON_OBJECT

    return step


def _tools(*, emulate: bool, role: str, merge: bool) -> Step:
    def step(body: Body, request: ChatRequest) -> None:
        if "tools" not in body and "tool_choice" not in body:
            return
        for name in _TOOLS:
            body.pop(name, None)
        call = tools.forced_call(request) if emulate else None
        if call is not None:
            body["response_format"] = call.response_format
            body["messages"] = history.prepend_system(body["messages"], role, call.instruction, merge=merge)

    return step


def _choices(words: dict[str, str]) -> Step:
    raw_words = {name: Raw(msgspec.json.encode(word)) for name, word in words.items()}

    def step(body: Body, request: ChatRequest) -> None:
        if request.tool_choice in raw_words and "tool_choice" in body:
            body["tool_choice"] = raw_words[request.tool_choice]

    return step


def _renames(names: dict[str, str]) -> Step:
    def step(body: Body, request: ChatRequest) -> None:
        for name in names.keys() & body.keys():
            body[names[name]] = body.pop(name)

    return step


def _constants(values: Body) -> Step:
    def step(body: Body, request: ChatRequest) -> None:
        body.update(values)

    return step
