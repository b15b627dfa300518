"""What a caller sends to `POST /messages` (contract 5.2), checked and surveyed.

The body is read as top-level keys with raw values, which `prepare` splices, and into `Fields`, which checks types and ranges and is kept
for `turns`. Errors are ApiError("invalid_request") whose message starts with the path of the field.
"""

import msgspec
from msgspec import Raw

from trunkline.dialects.body import read_body
from trunkline.dialects.messages.blocks import size, survey
from trunkline.dialects.messages.fields import Fields, ThinkingOff
from trunkline.dialects.preferences import preferences
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.request import InboundRequest

_READ = msgspec.json.Decoder(Fields)
_NO_THREADS = {"error_code": "thread_unsupported_request"}
"""By this Anthropic's SDKs go on without a thread. Their tool runners ask for one, and then send only what is new of a conversation."""
_SAME = ("temperature", "top_p", "top_k", "max_tokens")
"""Fields that bear the names of `supported_parameters`."""


class MessagesRequest(InboundRequest, frozen=True, kw_only=True):
    """One request for a message.

    `wire`: the checked fields. `traits` and `images`: see `blocks.Survey`. `display`: how much of the thinking the caller wants to see.
    """

    wire: Fields
    dialect: Dialect = "messages"
    traits: frozenset[str] = frozenset()
    images: int = 0
    display: str | None = None


def parse(body: bytes) -> MessagesRequest:
    """Read a Messages request. Raises ApiError("invalid_request") that names the field, or the place where the JSON is wrong."""
    raw, fields = read_body(body, _READ)
    _check(fields)
    seen = survey(fields.messages)
    return MessagesRequest(
        wire=fields,
        fields=raw,
        model=fields.model,
        models=_models(fields),
        stream=fields.stream is True,
        max_tokens=fields.max_tokens,
        parameters=_parameters(fields),
        modalities=frozenset(seen.modalities),
        prompt_bytes=seen.text_bytes + _system_bytes(fields) + _tool_bytes(raw, fields),
        preferences=preferences(fields.provider, fields.route),
        session_id=fields.session_id,
        user=fields.user or (None if fields.metadata is None else fields.metadata.user_id),
        traits=frozenset(seen.traits),
        images=seen.images,
        display=None if fields.thinking is None else fields.thinking.display,
    )


def _models(fields: Fields) -> tuple[str, ...]:
    first = [] if fields.model is None else [fields.model]
    further = [one.model for one in fields.fallbacks or ()] or fields.models or []
    return tuple(dict.fromkeys(first + further))


def _parameters(fields: Fields) -> frozenset[str]:
    used = {name for name in _SAME if getattr(fields, name) is not None}
    if fields.stop_sequences:
        used.add("stop")
    if fields.tools:
        used.add("tools")
        choice = fields.tool_choice
        if choice is not None and choice.type in ("any", "tool"):
            used.add("tool_choice")
        if choice is not None and choice.disable_parallel_tool_use is not None:
            used.add("parallel_tool_calls")
    config = fields.output_config
    if config is not None and config.format is not None:
        used |= {"response_format", "structured_outputs"}
    asks = fields.thinking is not None and not isinstance(fields.thinking, ThinkingOff)
    if asks or (config is not None and config.effort is not None):
        used.add("reasoning")
    return frozenset(used)


def _check(fields: Fields) -> None:
    if fields.thread is not None:
        raise ApiError("invalid_request", "thread: No conversation is held here. Send all messages, without thread", details=_NO_THREADS)
    if fields.fallbacks is not None and fields.models is not None:
        raise ApiError("invalid_request", "fallbacks: Give either fallbacks or models, not both")
    names = set()
    for index, tool in enumerate(fields.tools or ()):
        if tool.is_function and not tool.name:
            raise ApiError("invalid_request", f"tools[{index}].name: A tool needs it")
        if tool.is_function and tool.input_schema is None:
            raise ApiError("invalid_request", f"tools[{index}].input_schema: A tool needs it")
        names.add(tool.name)
    choice = fields.tool_choice
    if choice is None:
        return
    if choice.type == "any" and not fields.tools:
        raise ApiError("invalid_request", "tool_choice: A tool is required and tools is empty")
    if choice.type == "tool" and choice.name is None:
        raise ApiError("invalid_request", "tool_choice.name: A choice of type tool needs it")
    if choice.type == "tool" and choice.name not in names:
        raise ApiError("invalid_request", f"tool_choice.name: No tool is named {str(choice.name)[:64]!r}")


def _system_bytes(fields: Fields) -> int:
    system = fields.system or ""
    return size(system) if isinstance(system, str) else sum(size(block.text) for block in system)


def _tool_bytes(raw: dict[str, Raw], fields: Fields) -> int:
    return len(bytes(raw["tools"])) if fields.tools else 0
