"""What a caller sends to `POST /responses` (contract 5.1), checked and surveyed. Errors are ApiError("invalid_request") whose message
starts with the path of the field (`input[3].content: ...`)."""

import msgspec
from msgspec import Raw

from trunkline.dialects.body import read_body
from trunkline.dialects.parameters import PARAMETERS
from trunkline.dialects.preferences import preferences
from trunkline.dialects.responses.fields import Effort, Fields, ReasoningWire, TextWire, ToolChoiceWire, ToolWire
from trunkline.dialects.responses.items import Item, Survey, read_input, survey
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.request import InboundRequest

_READ = msgspec.json.Decoder(Fields)

_STATEFUL = {
    "store": "Responses are not stored; leave store out or set it to false",
    "background": "Responses are not stored, so none can be made in the background",
    "previous_response_id": "Responses are not stored; send the earlier items in input",
    "conversation": "Conversations are not stored; send the earlier items in input",
    "prompt": "Prompt templates are not stored; send instructions and input",
}
"""Fields that ask for state that the gateway does not keep, with what the caller is told."""

_RENAMED = {"max_output_tokens": "max_tokens"}


class ResponsesRequest(InboundRequest, frozen=True, kw_only=True):
    """One request for a response. `input` is read already; `effort` is what is asked of reasoning, None when nothing is."""

    dialect: Dialect = "responses"
    wire: Fields
    input: str | list[Item]
    effort: Effort | None = None


def parse(body: bytes) -> ResponsesRequest:
    """Read a request. Raises ApiError("invalid_request") that names the field, or the place where the JSON is wrong."""
    raw, fields = read_body(body, _READ)
    _check_stateless(fields)
    if not bytes(fields.input):
        raise ApiError("invalid_request", "input: Give input, as text or as a list of items")
    given = read_input(fields.input)
    seen = Survey(len(given.encode())) if isinstance(given, str) else survey(given)
    _check_tools(fields)
    tools = raw.get("tools")
    effort = _effort(fields.reasoning)
    return ResponsesRequest(
        fields=raw,
        wire=fields,
        input=given,
        model=fields.model,
        models=_models(fields),
        stream=fields.stream is True,
        max_tokens=fields.max_output_tokens,
        parameters=_parameters(raw, fields),
        modalities=seen.modalities,
        prompt_bytes=seen.text_bytes
        + len((fields.instructions or "").encode())
        + (len(bytes(tools)) if fields.tools and tools is not None else 0),
        preferences=preferences(fields.provider, fields.route),
        reasoning_excluded=fields.reasoning is not None and fields.reasoning.exclude is True,
        reasoning_off=effort == "none",
        effort=effort,
        session_id=fields.session_id,
        user=fields.user,
    )


def _check_stateless(fields: Fields) -> None:
    for name, told in _STATEFUL.items():
        if getattr(fields, name) not in (None, False):
            raise ApiError("invalid_request", f"{name}: {told}")


def _models(fields: Fields) -> tuple[str, ...]:
    first = [] if fields.model is None else [fields.model]
    return tuple(dict.fromkeys(first + (fields.models or [])))


def _effort(wire: ReasoningWire | None) -> Effort | None:
    if wire is None:
        return None
    if wire.effort is not None and wire.max_tokens is not None:
        raise ApiError("invalid_request", "reasoning.max_tokens: Give either effort or max_tokens, not both")
    if wire.enabled is False or wire.max_tokens == 0:
        return "none"
    return "medium" if wire.effort is None and wire.enabled and wire.max_tokens is None else wire.effort


def _parameters(raw: dict[str, Raw], fields: Fields) -> frozenset[str]:
    """The names that constrain endpoints, in the chat dialect's words (contract 5.13)."""
    given = (_RENAMED.get(name, name) for name in raw if getattr(fields, name, None) is not None)
    used = PARAMETERS.intersection(given)
    if not fields.tools:
        used -= {"tools", "tool_choice", "parallel_tool_calls"}
    elif fields.tool_choice in ("auto", "none"):
        used -= {"tool_choice"}
    return used | _text_parameters(fields.text or TextWire())


def _text_parameters(text: TextWire) -> set[str]:
    used = set()
    if text.verbosity is not None:
        used.add("verbosity")
    if text.format is not None and text.format.type != "text":
        used.add("response_format")
        if text.format.type == "json_schema":
            used.add("structured_outputs")
    return used


def _check_tools(fields: Fields) -> None:
    names = set()
    for index, tool in enumerate(fields.tools or ()):
        names.add(_checked_name(tool, index))
    choice = fields.tool_choice
    if choice == "required" and not fields.tools:
        raise ApiError("invalid_request", "tool_choice: A tool is required and tools is empty")
    if isinstance(choice, ToolChoiceWire) and choice.type in ("function", "custom") and choice.name not in names:
        raise ApiError("invalid_request", f"tool_choice.name: No tool is named {(choice.name or '')[:64]!r}")
    wanted = None if fields.text is None else fields.text.format
    if wanted is not None and wanted.type == "json_schema" and wanted.schema is None:
        raise ApiError("invalid_request", "text.format.schema: The type json_schema needs it")


def _checked_name(tool: ToolWire, index: int) -> str:
    if tool.type in ("function", "custom") and not tool.name:
        raise ApiError("invalid_request", f"tools[{index}].name: A tool of type {tool.type} needs it")
    return tool.name or ""
