"""What a client gets, read strictly: a state machine for each stream, the types of the official SDKs for each event and body, and then what
it says (`recorded.Said`), to be compared with what the upstream said.

`passed` tells that the endpoint speaks the client's own dialect: events and bodies are then the upstream's, lightly patched. What the SDK's
types refuse of the upstream's own they may refuse of ours (`problems`), and the state machines grant what they must.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import grammar_chat
import grammar_messages
import grammar_responses
from anthropic.types import Message, RawMessageStreamEvent
from grammar_chat import ChatGrammar
from msgspec import Struct
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from openrouter.components import ChatResult, ChatStreamChunk, OpenResponsesResult, StreamEvents
from pydantic import TypeAdapter, ValidationError
from recorded import CHAT_FINISHES, STOPS, Said, arguments, messages_usage

Document = dict[str, Any]


class Client(Struct, frozen=True):
    """One client dialect: the path it posts to, a small request of it, who reads its answers, and the SDKs' types for bodies and events.
    `plain` takes out what OpenRouter's contract has and the vendor's types lack."""

    path: str
    request: Document
    whole: Callable[[Document], Said]
    stream: Callable[..., Said]
    bodies: tuple[Any, ...]
    events: tuple[Any, ...]
    plain: Callable[[Document], Document] = lambda document: document

    def body(self, *, stream: bool) -> bytes:
        """A small request."""
        return json.dumps({**self.request, "stream": stream}).encode()

    def problems(self, documents: list[Document], *, stream: bool) -> list[str]:
        """What the SDKs' types refuse of a body or of the events of a stream."""
        plain = [self.plain(one) for one in documents]
        return [problem for types in (self.events if stream else self.bodies) for one in plain for problem in _problems(types, one)]


def payloads(data: bytes) -> list[Document]:
    """The documents of a stream's events, read loosely."""
    return [json.loads(line[5:]) for line in data.splitlines() if line.startswith(b"data:") and line[5:].strip() != b"[DONE]"]


@cache
def _adapter(types: Any) -> TypeAdapter[Any]:
    return TypeAdapter(types)


def _problems(types: Any, document: Document) -> Iterator[str]:
    if document.get("type") == "ping":
        return
    try:
        _adapter(types).validate_python(document)
    except ValidationError as error:
        yield str(error)


# --- chat ---


def _chat_whole(document: Document) -> Said:
    (choice,) = document["choices"]
    message = choice["message"]
    said = Said(
        text=message["content"] or "",
        refusal=message.get("refusal") or "",
        thought=message.get("reasoning") or _thought(message.get("reasoning_details") or ()),
        calls=[_called(call) for call in message.get("tool_calls") or ()],
        finish=CHAT_FINISHES[choice["finish_reason"]],
        pictures=len(message.get("images") or ()),
    )
    return _counted(said, document["usage"])


def _thought(details: Any) -> str:
    return "".join(item.get("text") or item.get("summary") or "" for item in details)


def _called(call: Document) -> tuple[str, object]:
    made = call[call["type"]]
    return made["name"], arguments(made.get("arguments", made.get("input")))


def _chat_stream(data: bytes, *, passed: bool) -> Said:
    read: ChatGrammar = grammar_chat.read(data, passed=passed)
    said = Said(
        text=read.content,
        refusal=read.refusal,
        thought=read.reasoning or _thought(read.details),
        calls=[(call["name"], arguments(call["text"])) for call in read.calls],
        finish=CHAT_FINISHES[read.finish_reason or ""],
        pictures=len(read.images),
    )
    assert read.usage is not None
    return _counted(said, read.usage)


def _counted(said: Said, usage: Document) -> Said:
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    before, after = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    said.input, said.output = usage["prompt_tokens"], usage["completion_tokens"]
    said.cached, said.written = before.get("cached_tokens") or 0, before.get("cache_write_tokens") or 0
    said.reasoning = after.get("reasoning_tokens") or 0
    return said


# --- messages ---


def _message(message: Document) -> Said:
    said = Said(finish=STOPS[message["stop_reason"]])
    for block in message["content"]:
        if block["type"] == "text":
            said.text += block["text"]
        elif block["type"] == "thinking":
            said.thought += block["thinking"]
        elif block["type"] == "tool_use":
            said.calls.append((block["name"], block["input"]))
        said.pictures += block["type"] == "image"
    messages_usage(said, message["usage"])
    return said


def _plain_message(document: Document) -> Document:
    """Without pictures, which no answer of Anthropic's has, and with its word for a tier that it has not (contract 3.9)."""
    if (document.get("content_block") or {}).get("type") == "image":
        return {"type": "ping"}
    message = document.get("message") or document
    if not {"content", "usage"} <= message.keys():
        return document
    usage = message["usage"]
    tier = "standard" if usage.get("service_tier") == "flex" else usage.get("service_tier")
    plain = {**message, "content": [one for one in message["content"] if one["type"] != "image"], "usage": {**usage, "service_tier": tier}}
    return {**document, "message": plain} if "message" in document else plain


def _message_stream(data: bytes, *, passed: bool) -> Said:
    return _message(grammar_messages.fold(data, passed=passed))


# --- responses ---


def _response(response: Document) -> Said:
    said = Said()
    for item in response["output"]:
        _item(said, item)
    assert response.get("output_text", said.text) == said.text
    why = (response.get("incomplete_details") or {}).get("reason")
    said.finish = {"max_output_tokens": "length", "content_filter": "content_filter"}.get(why or "", "tool_calls" if said.calls else "stop")
    assert (response["status"] == "incomplete") == bool(why)
    usage = response["usage"]
    said.input, said.output = usage["input_tokens"], usage["output_tokens"]
    assert usage["total_tokens"] == said.input + said.output
    before, after = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    said.cached, said.written = before.get("cached_tokens") or 0, before.get("cache_write_tokens") or 0
    said.reasoning = after.get("reasoning_tokens") or 0
    return said


def _item(said: Said, item: Document) -> None:
    if item["type"] == "message":
        said.text += "".join(part["text"] for part in item["content"] if part["type"] == "output_text")
        said.refusal += "".join(part["refusal"] for part in item["content"] if part["type"] == "refusal")
    elif item["type"] == "reasoning":
        said.thought += "\n\n".join(part["text"] for part in [*(item.get("content") or ()), *(item.get("summary") or ())])
    elif item["type"] in ("function_call", "custom_tool_call"):
        said.calls.append((item["name"], arguments(item.get("arguments", item.get("input")))))
    said.pictures += item["type"] == "image_generation_call"


def _response_stream(data: bytes, *, passed: bool) -> Said:
    return _response(grammar_responses.check(data, passed=passed).response)


QUESTION: Final = "What is the capital of France?"
TURNS: Final = [{"role": "user", "content": QUESTION}]

CLIENTS: Final[Mapping[str, Client]] = {
    "chat": Client(
        "/api/v1/chat/completions",
        {"model": "a/m", "messages": TURNS},
        _chat_whole,
        _chat_stream,
        (ChatCompletion, ChatResult),
        (ChatCompletionChunk, ChatStreamChunk),
    ),
    "messages": Client(
        "/api/v1/messages",
        {"model": "a/m", "max_tokens": 100, "messages": TURNS},
        _message,
        _message_stream,
        (Message,),
        (RawMessageStreamEvent,),
        _plain_message,
    ),
    "responses": Client(
        "/api/v1/responses",
        {"model": "a/m", "input": QUESTION},
        _response,
        _response_stream,
        (Response, OpenResponsesResult),
        (ResponseStreamEvent, StreamEvents),
    ),
}
"""The dialects that clients speak."""
