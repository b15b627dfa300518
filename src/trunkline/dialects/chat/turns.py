"""A chat request as a conversation: messages, tools and wishes without the words of the wire (contract 2.1, 2.2, 2.7, 2.8).

What `request.parse` has checked is read again here, since a pass-through needs none of it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects import loose
from trunkline.dialects.chat.messages import Role
from trunkline.dialects.chat.offers import choice_of, tools_of
from trunkline.dialects.chat.parts import PartIn, blocks_of, image_of, ttl_of
from trunkline.dialects.chat.prepare import GATEWAY_KEYS
from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.chat.thoughts import thoughts_of
from trunkline.dialects.chat.wishes import WISHES, Wishes, format_of, given, reasoning_of, sampling_of
from trunkline.dialects.hub.conversation import Block, Conversation, Refusal, Text, ToolCall, ToolResult, Turn
from trunkline.errors import ApiError

_NULL = Raw(b"null")
_OBJECTS = msgspec.json.Decoder(list[Raw])


class CalledIn(Struct):
    """A function with its `arguments`, or a custom tool with its `input`."""

    name: str = ""
    arguments: Raw = _NULL
    input: str = ""


class CallIn(Struct):
    id: str | None = None
    function: CalledIn | None = None
    custom: CalledIn | None = None


class AudioIn(Struct):
    transcript: str | None = None


class MessageIn(Struct):
    """A message as sent. `images` and `annotations` are those of an earlier answer."""

    role: Role
    content: str | list[PartIn] | None = None
    name: str | None = None
    tool_calls: list[CallIn] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    reasoning: object = None
    reasoning_content: object = None
    reasoning_details: Raw = _NULL
    images: list[PartIn] | None = None
    audio: AudioIn | None = None
    annotations: Raw = _NULL
    cache_control: object = None


_MESSAGES = msgspec.json.Decoder(list[MessageIn])
_WISHES = msgspec.json.Decoder(Wishes)

COVERED: Final = (
    frozenset(WISHES) | GATEWAY_KEYS | {"messages", "model", "tools", "tool_choice", "stream_options", "include_reasoning", "n"}
)
"""Keys that a field of the conversation covers, or that no upstream gets."""


def conversation(request: ChatRequest) -> Conversation:
    """The conversation of a request. Raises ApiError("invalid_request") for a field that has another type than the dialect says."""
    fields = request.fields
    try:
        messages = _MESSAGES.decode(fields["messages"])
        turns = _turns(messages)
        wishes = _WISHES.decode(msgspec.json.encode({key: fields[key] for key in WISHES if key in fields}))
        tools = tools_of(fields.get("tools", _NULL))
        choice = choice_of(fields.get("tool_choice"), wishes.parallel_tool_calls)
    except loose.FAILURES as error:
        raise ApiError("invalid_request", f"messages, tools: {str(error).replace('`', '')}") from None
    form = format_of(wishes)
    covered = COVERED if form is not None or wishes.response_format is None else COVERED - {"response_format"}
    return Conversation(
        turns=turns,
        tools=tools,
        tool_choice=choice,
        max_tokens=request.max_tokens,
        sampling=sampling_of(wishes),
        reasoning=reasoning_of(wishes, request),
        format=form,
        stop=_stops(wishes.stop),
        stream=request.stream,
        verbosity=wishes.verbosity,
        service_tier=wishes.service_tier,
        prediction=given(wishes.prediction),
        modalities=tuple(wishes.modalities or ()),
        image_config=given(wishes.image_config),
        audio=given(wishes.audio),
        cache=ttl_of(wishes.cache_control),
        prompt_cache_key=wishes.prompt_cache_key,
        extra={key: value for key, value in fields.items() if key not in covered},
        dialect="chat",
    )


def _stops(stop: str | list[str] | None) -> tuple[str, ...]:
    if isinstance(stop, str):
        return (stop,)
    return tuple(stop or ())


def _turns(messages: Iterable[MessageIn]) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    names: dict[str, str] = {}
    waiting: list[str] = []
    for place, message in enumerate(messages):
        if message.role == "tool":
            turns.append(_result(message, names, waiting))
            continue
        if message.role == "assistant":
            blocks = _answer(message, place)
            calls = [block for block in blocks if isinstance(block, ToolCall)]
            names.update((call.id, call.name) for call in calls)
            waiting = [call.id for call in calls]
        else:
            blocks = _content(message)
        role = "system" if message.role == "developer" else message.role
        turns.append(Turn(role=role, blocks=tuple(blocks), name=message.name, developer=message.role == "developer"))
    return tuple(turns)


def _content(message: MessageIn) -> list[Block]:
    if isinstance(message.content, str):
        return [Text(text=message.content, cache=ttl_of(message.cache_control))]
    return blocks_of(message.content or ())


def _answer(message: MessageIn, place: int) -> list[Block]:
    """The blocks of an assistant's message: what it thought, said, showed and called."""
    said = [block for block in _content(message) if not isinstance(block, Text) or block.text]
    if not said and message.audio is not None and message.audio.transcript:
        said = [Text(text=message.audio.transcript)]
    if message.refusal:
        said.append(Refusal(text=message.refusal))
    images = [image_of(part.image_url) for part in message.images or () if part.image_url is not None]
    calls = [_call(call, f"{place}:{number}") for number, call in enumerate(message.tool_calls or ())]
    thoughts = thoughts_of(message.reasoning_details, (message.reasoning, message.reasoning_content))
    return [*thoughts, *_cited(said, message.annotations), *images, *(call for call in calls if call is not None)]


def _cited(said: list[Block], annotations: Raw) -> list[Block]:
    """What was said, with the citations at its last text."""
    if bytes(annotations)[:1] != b"[":
        return said
    last = max((place for place, block in enumerate(said) if isinstance(block, Text)), default=None)
    found = tuple(Raw(bytes(item)) for item in _OBJECTS.decode(annotations))
    return [msgspec.structs.replace(block, annotations=found) if place == last and found else block for place, block in enumerate(said)]


def _call(call: CallIn, place: str) -> ToolCall | None:
    called = call.custom or call.function
    if called is None:
        return None
    identifier = call.id or f"call_{hashlib.sha256(place.encode()).hexdigest()[:24]}"
    if call.custom is not None:
        return ToolCall(id=identifier, name=called.name, arguments=called.input, kind="custom")
    return ToolCall(id=identifier, name=called.name, arguments=_arguments(called.arguments))


def _arguments(arguments: Raw) -> str:
    """The JSON text of a call's arguments, whose digits and keys stay as they are."""
    text = bytes(arguments).decode()
    if text[:1] == '"':
        text = msgspec.json.decode(arguments)
    return "{}" if text in ("", "null") else text


def _result(message: MessageIn, names: Mapping[str, str], waiting: list[str]) -> Turn:
    """A tool's message. One without an id answers the first call that has none."""
    identifier = message.tool_call_id or (waiting[0] if waiting else "")
    if identifier in waiting:
        waiting.remove(identifier)
    name = names.get(identifier, message.name)
    result = ToolResult(id=identifier, name=name, blocks=tuple(_content(message)), cache=ttl_of(message.cache_control))
    return Turn(role="tool", blocks=(result,))
