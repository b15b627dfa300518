"""The three ways in which clients speak, as far as the soak needs them: how a question is asked, and what a client hears. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

Skin = Literal["chat", "messages", "responses"]
PATHS: Final[Mapping[Skin, str]] = {"chat": "/api/v1/chat/completions", "messages": "/api/v1/messages", "responses": "/api/v1/responses"}
SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOL: Final = "weather"
_TOOLS: Final[Mapping[Skin, object]] = {
    "chat": {"type": "function", "function": {"name": TOOL, "parameters": SCHEMA}},
    "messages": {"name": TOOL, "input_schema": SCHEMA},
    "responses": {"type": "function", "name": TOOL, "parameters": SCHEMA},
}


class Heard(Struct, frozen=True):
    """What came: the text, the arguments of a tool call, whether the answer came to its end, and the error that it told instead."""

    text: str = ""
    arguments: str = ""
    ended: bool = False
    error: str = ""


class Broken(Exception):
    """An answer that is none in its dialect."""


def asked(skin: Skin, question: str, *, tools: bool = False) -> dict[str, object]:
    """The fields of a request that asks this."""
    turns = [{"role": "user", "content": question}]
    said: dict[str, object] = {"input": question} if skin == "responses" else {"messages": turns}
    if skin == "messages":
        said["max_tokens"] = 1_000
    return said | ({"tools": [_TOOLS[skin]]} if tools else {})


def hear(skin: Skin, body: bytes, *, stream: bool) -> Heard:
    """What a client hears in an answer with status 200. Raises Broken."""
    try:
        return _STREAMS[skin](list(_events(body))) if stream else _WHOLES[skin](msgspec.json.decode(body))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise Broken(f"{error!r} in {body[-300:]!r}") from None


def refused(body: bytes) -> str:
    """What the body of a refusal says, in any skin. Raises Broken."""
    try:
        message: str = msgspec.json.decode(body)["error"]["message"]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise Broken(f"{error!r} in {body[-300:]!r}") from None
    return message


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.split(b"\n"):
        if line.startswith(b"data: "):
            yield {"type": "[DONE]"} if line == b"data: [DONE]" else msgspec.json.decode(line[6:])


def _chat_stream(events: list[dict[str, Any]]) -> Heard:
    if not events or events.pop().get("type") != "[DONE]":
        raise Broken("a stream without its end")
    choices = [choice for event in events for choice in event["choices"]]
    finishes = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    calls = [call for choice in choices for call in choice["delta"].get("tool_calls") or ()]
    errors = [event["error"]["message"] for event in events if "error" in event]
    return Heard(
        "".join(choice["delta"].get("content") or "" for choice in choices),
        "".join(call["function"].get("arguments") or "" for call in calls),
        finishes in (["stop"], ["tool_calls"]) and not errors,
        errors[0] if errors and finishes == ["error"] else "",
    )


def _chat_whole(answer: dict[str, Any]) -> Heard:
    (choice,) = answer["choices"]
    message = choice["message"]
    calls = message.get("tool_calls") or ()
    arguments = "".join(call["function"]["arguments"] for call in calls)
    return Heard(message["content"] or "", arguments, choice["finish_reason"] in ("stop", "tool_calls"))


def _messages_stream(events: list[dict[str, Any]]) -> Heard:
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    reasons = [event["delta"]["stop_reason"] for event in events if event["type"] == "message_delta"]
    errors = [event["error"]["message"] for event in events if event["type"] == "error"]
    return Heard(
        "".join(delta.get("text", "") for delta in deltas),
        "".join(delta.get("partial_json", "") for delta in deltas),
        not errors and reasons in (["end_turn"], ["tool_use"]) and events[-1]["type"] == "message_stop",
        errors[0] if errors and not reasons else "",
    )


def _messages_whole(answer: dict[str, Any]) -> Heard:
    blocks = answer["content"]
    inputs = [msgspec.json.encode(block["input"]).decode() for block in blocks if block["type"] == "tool_use"]
    return Heard("".join(block.get("text", "") for block in blocks), "".join(inputs), answer["stop_reason"] in ("end_turn", "tool_use"))


def _responses_stream(events: list[dict[str, Any]]) -> Heard:
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    arguments = "".join(event["delta"] for event in events if event["type"] == "response.function_call_arguments.delta")
    ends = [event for event in events if event["type"] in ("response.completed", "response.failed", "error")]
    if len(ends) != 1:
        raise Broken(f"a stream with {len(ends)} ends")
    (end,) = ends
    if end["type"] == "response.completed":
        return Heard(text, arguments, end["response"]["status"] == "completed")
    error = end["response"]["error"] if end["type"] == "response.failed" else end
    return Heard(text, arguments, error=error["message"])


def _responses_whole(answer: dict[str, Any]) -> Heard:
    parts = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
    arguments = "".join(item["arguments"] for item in answer["output"] if item["type"] == "function_call")
    return Heard("".join(part["text"] for part in parts), arguments, answer["status"] == "completed")


_STREAMS: Final[Mapping[Skin, Callable[[list[dict[str, Any]]], Heard]]] = {
    "chat": _chat_stream,
    "messages": _messages_stream,
    "responses": _responses_stream,
}
_WHOLES: Final[Mapping[Skin, Callable[[dict[str, Any]], Heard]]] = {
    "chat": _chat_whole,
    "messages": _messages_whole,
    "responses": _responses_whole,
}
