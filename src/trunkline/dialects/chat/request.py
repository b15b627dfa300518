"""What a caller sends to `POST /chat/completions` and the legacy `POST /completions` (contract 2.1, 5.3), checked and surveyed.

The body is read twice: once as top-level keys with raw values, which `prepare` splices, and once into `Fields`, which checks types and
ranges. Errors are ApiError("invalid_request") whose message starts with the path of the field (`messages[3].content: ...`).
"""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw

from trunkline.dialects.body import read_body
from trunkline.dialects.chat.fields import Effort, Fields, ReasoningWire, ToolChoiceWire
from trunkline.dialects.chat.messages import Survey, survey
from trunkline.dialects.parameters import ALIASES, PARAMETERS
from trunkline.dialects.preferences import preferences
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.request import InboundRequest

_READ = msgspec.json.Decoder(Fields)
_NULL = b"null"

_CONDITIONAL = frozenset(("include_reasoning", "tools", "tool_choice", "parallel_tool_calls", "response_format"))
"""Parameters that constrain endpoints only with some values, or with others."""

_TEXT_COMPLETION_ONLY = ("prompt", "echo", "best_of", "suffix", "logprobs")


class ChatRequest(InboundRequest, frozen=True, kw_only=True):
    """One request for a chat completion.

    `traits`: see `messages.Survey`. `legacy`: "text" = the caller sent `prompt` and expects `choices[].text`. `tool_choice`: the mode, or
    "function" with the name in `chosen_tool`. `effort` and `reasoning_tokens`: what is asked of reasoning. `schema_format`:
    `response_format` is a JSON schema.
    """

    dialect: Dialect = "chat"
    traits: frozenset[str] = frozenset()
    legacy: Literal["", "text"] = ""
    effort: Effort | None = None
    reasoning_tokens: int | None = None
    tool_choice: Literal["none", "auto", "required", "function"] | None = None
    chosen_tool: str | None = None
    schema_format: bool = False


def parse(body: bytes) -> ChatRequest:
    """Read a chat completion request; one with `prompt` instead of `messages` is a legacy text completion.

    Raises ApiError("invalid_request") that names the field, or the place where the JSON is wrong.
    """
    raw, fields = read_body(body, _READ)
    if fields.messages is UNSET:
        return _legacy(raw, fields)
    if fields.prompt is not None:
        raise ApiError("invalid_request", "prompt: Give either messages or prompt, not both")
    return _build(raw, fields, survey(fields.messages), "")


def parse_completion(body: bytes) -> ChatRequest:
    """Read a request to the legacy `POST /completions`, whose `prompt` is a string. Raises as `parse` does."""
    raw, fields = read_body(body, _READ)
    if fields.messages is not UNSET:
        raise ApiError("invalid_request", "messages: Text completions take prompt; send messages to /chat/completions")
    return _legacy(raw, fields)


def _legacy(raw: dict[str, Raw], fields: Fields) -> ChatRequest:
    if fields.prompt is None:
        raise ApiError("invalid_request", "messages: Give messages (or prompt, for a text completion)")
    if not fields.prompt:
        raise ApiError("invalid_request", "prompt: Expected text, got an empty string")
    for name in _TEXT_COMPLETION_ONLY:
        raw.pop(name, None)
    raw["messages"] = Raw(msgspec.json.encode([{"role": "user", "content": fields.prompt}]))
    return _build(raw, fields, Survey(len(fields.prompt.encode()), traits=frozenset(("user",))), "text")


def _build(raw: dict[str, Raw], fields: Fields, seen: Survey, legacy: Literal["", "text"]) -> ChatRequest:
    reasoning = fields.reasoning
    tools = raw.get("tools")
    choice = fields.tool_choice
    if tools is not None or choice is not None:
        _check_tools(fields)
    if fields.response_format is not None:
        _check_format(fields)
    effort = _effort(fields) if reasoning is not None or fields.reasoning_effort is not None else None
    return ChatRequest(
        fields=raw,
        model=fields.model,
        models=_models(fields),
        stream=fields.stream is True,
        max_tokens=fields.max_completion_tokens or fields.max_tokens,
        parameters=_parameters(raw, fields),
        modalities=seen.modalities,
        traits=seen.traits,
        prompt_bytes=seen.text_bytes + (len(bytes(tools)) if fields.tools and tools is not None else 0),
        preferences=preferences(fields.provider, fields.route),
        legacy=legacy,
        reasoning_excluded=fields.include_reasoning is False or (reasoning is not None and reasoning.exclude is True),
        reasoning_off=effort == "none",
        effort=effort,
        reasoning_tokens=None if reasoning is None else reasoning.max_tokens or None,
        tool_choice="function" if isinstance(choice, ToolChoiceWire) else choice,
        chosen_tool=choice.function.name if isinstance(choice, ToolChoiceWire) and choice.function else None,
        schema_format=fields.response_format is not None and fields.response_format.type == "json_schema",
        session_id=fields.session_id,
        user=fields.user,
    )


def _models(fields: Fields) -> tuple[str, ...]:
    if not fields.models:
        return () if fields.model is None else (fields.model,)
    first = [] if fields.model is None else [fields.model]
    return tuple(dict.fromkeys(first + fields.models))


def _effort(fields: Fields) -> Effort | None:
    wire = fields.reasoning or ReasoningWire()
    effort = wire.effort or fields.reasoning_effort
    if wire.effort is not None and fields.reasoning_effort not in (None, wire.effort):
        raise ApiError("invalid_request", f"reasoning_effort: Contradicts reasoning.effort ({wire.effort})")
    if wire.effort is not None and wire.max_tokens is not None:
        raise ApiError("invalid_request", "reasoning.max_tokens: Give either effort or max_tokens, not both")
    if wire.enabled is False or wire.max_tokens == 0:
        return "none"
    return "medium" if effort is None and wire.enabled and wire.max_tokens is None else effort


def _parameters(raw: dict[str, Raw], fields: Fields) -> frozenset[str]:
    names = PARAMETERS.intersection(raw)
    if not names:
        return names
    used = {ALIASES.get(name, name) for name in names if bytes(raw[name]) != _NULL}
    if used.isdisjoint(_CONDITIONAL):
        return frozenset(used)
    used.discard("include_reasoning")
    if not fields.tools:
        used -= {"tools", "tool_choice", "parallel_tool_calls"}
    elif fields.tool_choice in ("auto", "none"):
        used.discard("tool_choice")
    if fields.response_format is not None and fields.response_format.type == "text":
        used.discard("response_format")
    elif fields.response_format is not None and fields.response_format.type == "json_schema":
        used.add("structured_outputs")
    return frozenset(used)


def _check_tools(fields: Fields) -> None:
    names = set()
    for index, tool in enumerate(fields.tools or ()):
        if tool.type == "function" and tool.function is None:
            raise ApiError("invalid_request", f"tools[{index}].function: A tool of type function needs it")
        if tool.function is not None:
            names.add(tool.function.name)
    choice = fields.tool_choice
    if choice == "required" and not fields.tools:
        raise ApiError("invalid_request", "tool_choice: A tool is required and tools is empty")
    if not isinstance(choice, ToolChoiceWire) or choice.type != "function":
        return
    if choice.function is None:
        raise ApiError("invalid_request", "tool_choice.function: A choice of type function needs it")
    if choice.function.name not in names:
        raise ApiError("invalid_request", f"tool_choice.function.name: No tool is named {choice.function.name[:64]!r}")


def _check_format(fields: Fields) -> None:
    wanted = fields.response_format
    if wanted is not None and wanted.type == "json_schema" and wanted.json_schema is None:
        raise ApiError("invalid_request", "response_format.json_schema: The type json_schema needs it")
