"""A Messages request as a conversation (`dialects.hub`)."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, Raw

from trunkline.dialects.hub.conversation import (
    Block,
    Conversation,
    Effort,
    File,
    Format,
    Image,
    ReasoningWish,
    Role,
    Sampling,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from trunkline.dialects.hub.conversation import Opaque as OpaqueBlock
from trunkline.dialects.messages import citations, seal
from trunkline.dialects.messages.blocks import BlockWire, SourceWire, content_of, source_of, walk
from trunkline.dialects.messages.content import DIALECT
from trunkline.dialects.messages.fields import Fields, MessageWire, TextWire, ThinkingAdaptive, ThinkingOff, ThinkingOn
from trunkline.dialects.messages.offers import choice, tools, ttl
from trunkline.dialects.messages.request import MessagesRequest

_EXTRAS = ("context_management", "container", "mcp_servers", "speed", "inference_geo")
_CITATIONS = msgspec.json.Decoder(list[object] | None)


def conversation(request: MessagesRequest) -> Conversation:
    """What the caller asks for, free of the dialect."""
    fields = request.wire
    config = fields.output_config
    extra = {key: Raw(bytes(request.fields[key])) for key in _EXTRAS if key in request.fields}
    if config is not None and config.task_budget is not None:
        extra["output_config"] = Raw(msgspec.json.encode({"task_budget": config.task_budget}))
    return Conversation(
        turns=(*_system(fields), *_turns(fields.messages)),
        tools=tools(fields, request.fields.get("tools")),
        tool_choice=choice(fields.tool_choice),
        max_tokens=fields.max_tokens,
        sampling=Sampling(temperature=fields.temperature, top_p=fields.top_p, top_k=fields.top_k),
        reasoning=_reasoning(fields),
        format=_format(fields),
        stop=tuple(fields.stop_sequences or ()),
        stream=request.stream,
        service_tier=fields.service_tier,
        cache=ttl(fields.cache_control),
        extra=extra,
        dialect=DIALECT,
    )


def _reasoning(fields: Fields) -> ReasoningWish | None:
    wire = fields.thinking
    effort: Effort | None = None if fields.output_config is None else fields.output_config.effort
    if isinstance(wire, ThinkingOff):
        return ReasoningWish(enabled=False)
    if isinstance(wire, ThinkingOn):
        return ReasoningWish(max_tokens=wire.budget_tokens, effort=effort, enabled=True, display=wire.display)
    if isinstance(wire, ThinkingAdaptive):
        return ReasoningWish(effort=effort, enabled=True, adaptive=True, display=wire.display)
    return None if effort is None else ReasoningWish(effort=effort)


def _format(fields: Fields) -> Format | None:
    wanted = None if fields.output_config is None else fields.output_config.format
    if wanted is None:
        return None
    return Format(kind="json_schema", name=wanted.name, schema=Raw(msgspec.json.encode(wanted.schema)), strict=True)


def _system(fields: Fields) -> Iterator[Turn]:
    system = fields.system
    if isinstance(system, str) and system:
        yield Turn(role="system", blocks=(Text(text=system),))
    elif isinstance(system, list) and system:
        yield Turn(role="system", blocks=tuple(_system_text(block) for block in system))


def _system_text(block: TextWire) -> Text:
    return Text(text=block.text, cache=ttl(block.cache_control))


def _turns(messages: list[MessageWire]) -> Iterator[Turn]:
    """One turn for each message, and for the tool results in a user's message one turn of the role tool in front of it."""
    names: dict[str, str] = {}
    for index, message in enumerate(messages):
        blocks = [block for wire, raw in walk(message.content, f"messages[{index}].content") for block in _blocks(wire, raw, names)]
        role: Role = message.role
        results = tuple(block for block in blocks if isinstance(block, ToolResult)) if role == "user" else ()
        if results:
            yield Turn(role="tool", blocks=results)
            blocks = [block for block in blocks if not isinstance(block, ToolResult)]
        if blocks or not results:
            yield Turn(role=role, blocks=tuple(blocks))


def _blocks(wire: BlockWire, raw: Raw, names: dict[str, str]) -> list[Block]:
    cache = ttl(wire.cache_control)
    match wire.type:
        case "text":
            return [Text(text=wire.text or "", cache=cache, annotations=_annotations(wire))]
        case "thinking":
            return list(seal.thinking(wire.thinking or "", wire.signature or ""))
        case "redacted_thinking":
            return list(seal.redacted(wire.data or ""))
        case "tool_use":
            names[wire.id or ""] = wire.name or ""
            given = "{}" if wire.input is UNSET else bytes(wire.input).decode()
            return [ToolCall(id=wire.id or "", name=wire.name or "", arguments="{}" if given == "null" else given, cache=cache)]
        case "tool_result":
            return [_result(wire, names)]
        case "image" | "document":
            found = _media(wire)
            return [found or OpaqueBlock(dialect=DIALECT, raw=Raw(bytes(raw)))]
    return [OpaqueBlock(dialect=DIALECT, raw=Raw(bytes(raw)))]


def _annotations(wire: BlockWire) -> tuple[Raw, ...]:
    if wire.citations is UNSET:
        return ()
    try:
        items = _CITATIONS.decode(wire.citations)
    except msgspec.ValidationError:
        return ()
    return tuple(Raw(one.encode()) for item in items or () if (one := citations.annotation(item)) is not None)


def _result(wire: BlockWire, names: dict[str, str]) -> ToolResult:
    inner = content_of(wire.content)
    nested = [block for part, raw in walk(inner) for block in _blocks(part, raw, {})] if inner else []
    identifier = wire.tool_use_id or ""
    return ToolResult(
        id=identifier,
        name=names.get(identifier),
        blocks=tuple(nested),
        is_error=wire.is_error is True,
        cache=ttl(wire.cache_control),
    )


def _media(wire: BlockWire) -> Image | File | None:
    """An image or document; None for one that only Anthropic can read."""
    source, cache = source_of(wire), ttl(wire.cache_control)
    if wire.type == "image":
        if source.type == "file":
            return None
        return Image(url=source.url, data=source.data, media_type=source.media_type, cache=cache)
    if source.type == "text":
        return File(filename=wire.title, text=source.data, media_type="text/plain", cache=cache)
    if source.type == "content":
        return File(filename=wire.title, text=_joined(source), media_type="text/plain", cache=cache)
    media_type = source.media_type or ("application/pdf" if source.data or source.url else None)
    return File(filename=wire.title, url=source.url, data=source.data, media_type=media_type, file_id=source.file_id, cache=cache)


def _joined(source: SourceWire) -> str:
    return "\n".join(part.text or "" for part, _ in walk(content_of(source.content)) if part.type == "text")
