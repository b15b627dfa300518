"""A caller's request as the hub's `Conversation`.

Items of one assistant turn (reasoning, messages, calls) become its blocks in their order; outputs of tools become `tool` turns. Messages
stay apart where their roles or phases differ.
"""

from collections.abc import Iterator, Sequence

from msgspec import Raw

from trunkline.dialects.hub.conversation import (
    Block,
    Conversation,
    Opaque,
    Reasoning,
    ReasoningWish,
    Role,
    Sampling,
    ToolCall,
    ToolResult,
    Ttl,
    Turn,
)
from trunkline.dialects.responses import seal
from trunkline.dialects.responses.fields import Fields
from trunkline.dialects.responses.items import (
    CallOutput,
    CustomCall,
    Foreign,
    FunctionCall,
    Item,
    Message,
    ReasoningItem,
)
from trunkline.dialects.responses.offers import answer_format, tool_choice, tools
from trunkline.dialects.responses.parts import blocks_of
from trunkline.dialects.responses.request import ResponsesRequest
from trunkline.dialects.responses.writing import UNNAMED

DIALECT = "responses"
_COVERED = frozenset(
    (
        *("input", "instructions", "model", "stream", "max_output_tokens", "temperature", "top_p", "top_k", "frequency_penalty"),
        *("presence_penalty", "top_logprobs", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning", "service_tier"),
        *("modalities", "image_config", "cache_control", "prompt_cache_key", "store", "background", "previous_response_id"),
        *("conversation", "prompt"),
    )
)
_LOGPROBS = "message.output_text.logprobs"


def conversation(request: ResponsesRequest) -> Conversation:
    """What the request asks for, free of the dialect."""
    wire = request.wire
    text = wire.text
    return Conversation(
        turns=tuple(_turns(wire.instructions, request.input)),
        tools=tools(request.fields.get("tools")),
        tool_choice=tool_choice(wire.tool_choice, wire.parallel_tool_calls),
        max_tokens=request.max_tokens,
        sampling=_sampling(wire),
        reasoning=wish(request),
        format=None if text is None or text.format is None else answer_format(text.format, request.fields["text"]),
        stream=request.stream,
        verbosity=None if text is None else text.verbosity,
        service_tier=wire.service_tier,
        modalities=tuple(wire.modalities or ()),
        image_config=request.fields.get("image_config") if wire.image_config is not None else None,
        cache=_cache(wire),
        prompt_cache_key=wire.prompt_cache_key,
        extra={name: raw for name, raw in request.fields.items() if name not in _COVERED} | _server_choice(request),
        dialect=DIALECT,
    )


def _turns(instructions: str | None, given: str | Sequence[Item]) -> Iterator[Turn]:
    if instructions:
        yield Turn(role="system", blocks=blocks_of(instructions))
    if isinstance(given, str):
        yield Turn(role="user", blocks=blocks_of(given))
        return
    names = {item.call_id: item.name for item in given if isinstance(item, FunctionCall | CustomCall)}
    said: list[Block] = []
    phase: str | None = None
    for item in given:
        blocks = _assistant_blocks(item)
        if blocks is None or (isinstance(item, Message) and _speaks(said) and item.phase != phase):
            yield from _assistant(said, phase)
            said, phase = [], None
        if blocks is None:
            yield _turn(item, names)
            continue
        phase = item.phase if isinstance(item, Message) else phase
        said.extend(blocks)
    yield from _assistant(said, phase)


def _assistant(said: list[Block], phase: str | None) -> Iterator[Turn]:
    if said:
        yield Turn(role="assistant", blocks=tuple(said), phase=phase)


def _speaks(said: list[Block]) -> bool:
    return any(not isinstance(block, Reasoning | Opaque) for block in said)


def _assistant_blocks(item: Item) -> tuple[Block, ...] | None:
    """What an item adds to an assistant turn; None when it is not the assistant's."""
    match item:
        case Message(role="assistant", content=content):
            return blocks_of(content)
        case FunctionCall():
            return (ToolCall(id=item.call_id, name=item.name, arguments=item.arguments or "{}"),)
        case CustomCall():
            return (ToolCall(id=item.call_id, name=item.name, arguments=item.input, kind="custom"),)
        case ReasoningItem():
            return tuple(_thoughts(item))
        case Foreign(raw=raw):
            return (Opaque(dialect=DIALECT, raw=raw),)
        case _:
            return None


def _thoughts(given: ReasoningItem) -> Iterator[Reasoning]:
    item = seal.opened(given)
    family = item.format or (seal.OWN if item.encrypted_content is not None else "unknown")
    identifier = None if item.id is None or item.id.startswith(UNNAMED) else item.id
    for one in item.summary or ():
        yield Reasoning(kind="summary", text=one.text, format=family, id=identifier)
    thoughts = item.content or ()
    for index, one in enumerate(thoughts):
        signature = item.signature if index == len(thoughts) - 1 else None
        yield Reasoning(kind="text", text=one.text, signature=signature, format=family, id=identifier)
    if not thoughts and item.signature is not None:
        yield Reasoning(kind="text", signature=item.signature, format=family, id=identifier)
    if item.encrypted_content is not None:
        yield Reasoning(kind="encrypted", data=item.encrypted_content, format=family, id=identifier)


def _turn(item: Item, names: dict[str, str]) -> Turn:
    if isinstance(item, CallOutput):
        result = ToolResult(id=item.call_id, name=names.get(item.call_id), blocks=blocks_of(item.output))
        return Turn(role="tool", blocks=(result,))
    if not isinstance(item, Message):
        return Turn(role="user")
    role: Role = "user" if item.role == "user" else "system"
    return Turn(role=role, blocks=blocks_of(item.content), developer=item.role == "developer")


def _sampling(wire: Fields) -> Sampling:
    wanted = wire.top_logprobs is not None or _LOGPROBS in (wire.include or ())
    return Sampling(
        temperature=wire.temperature,
        top_p=wire.top_p,
        top_k=wire.top_k,
        frequency_penalty=wire.frequency_penalty,
        presence_penalty=wire.presence_penalty,
        logprobs=wanted or None,
        top_logprobs=wire.top_logprobs,
    )


def wish(request: ResponsesRequest) -> ReasoningWish | None:
    """What is asked of reasoning; None when nothing is."""
    wire = request.wire.reasoning
    if wire is None:
        return None
    return ReasoningWish(
        effort=request.effort,
        max_tokens=wire.max_tokens or None,
        enabled=wire.enabled,
        exclude=wire.exclude is True,
        summary=wire.summary or wire.generate_summary,
        context=wire.context,
        mode=wire.mode,
    )


def _cache(wire: Fields) -> Ttl | None:
    return None if wire.cache_control is None else wire.cache_control.ttl or "5m"


def _server_choice(request: ResponsesRequest) -> dict[str, Raw]:
    """A choice that names a server tool is kept for endpoints of this dialect."""
    choice = request.wire.tool_choice
    if choice is None or isinstance(choice, str) or choice.type in ("function", "custom", "allowed_tools"):
        return {}
    return {"tool_choice": request.fields["tool_choice"]}
