"""What a client hears in each dialect, read strictly: the text, how it ended, and the error told in the stream."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from grammar_chat import ChatGrammar
from grammar_messages import Grammar as MessagesGrammar
from grammar_responses import check
from msgspec import Struct

STOPS: Final = {"stop", "end_turn", "completed"}
PATHS: Final = {"chat": "/api/v1/chat/completions", "messages": "/api/v1/messages", "responses": "/api/v1/responses"}
QUESTION: Final = [{"role": "user", "content": "What is the capital of France?"}]
ASKED: Final[Mapping[str, dict[str, Any]]] = {
    "chat": {"messages": QUESTION},
    "messages": {"messages": QUESTION, "max_tokens": 100},
    "responses": {"input": "What is the capital of France?"},
}


class Heard(Struct, frozen=True):
    """`finish`: the dialect's word. `error_type`: of an error that the stream told, else empty."""

    text: str
    finish: str
    error_type: str = ""


def asked(skin: str, model: str, *, stream: bool, **more: object) -> bytes:
    """A small request in a client dialect."""
    return json.dumps({"model": model, "stream": stream, **ASKED[skin], **more}).encode()


def heard(skin: str, body: bytes, *, stream: bool, passed: bool = False) -> Heard:
    """A whole answer or a whole stream. Raises AssertionError where it breaks its dialect's rules. `passed`: see the grammars."""
    if stream:
        return _STREAMS[skin](body, passed)
    return _WHOLES[skin](json.loads(body))


def _chat_stream(body: bytes, passed: bool) -> Heard:
    grammar = ChatGrammar(passed=passed)
    grammar.feed(body)
    grammar.end()
    told = "" if grammar.error is None else grammar.error["metadata"]["error_type"]
    return Heard(grammar.content, grammar.finish_reason or "", told)


def _messages_stream(body: bytes, passed: bool) -> Heard:
    grammar = MessagesGrammar(passed=passed)
    grammar.feed(body)
    message = grammar.message or {"content": [], "stop_reason": None}
    text = "".join(block["text"] for block in message["content"] if block["type"] == "text")
    if grammar.error is not None:
        assert not grammar.delta_seen, "a stop reason before an error"
        return Heard(text, "error", grammar.error["error"]["error_type"])
    assert grammar.ended, "no message_stop"
    return Heard(text, message["stop_reason"])


def _responses_stream(body: bytes, passed: bool) -> Heard:
    grammar = check(body, passed=passed)
    text = "".join(part.text for item in grammar.items for part in item.content)
    if grammar.terminal in ("response.failed", "error"):
        source: Any = grammar.response or grammar.error
        return Heard(text, "error", source["error_type"])
    return Heard(text, str(grammar.response["status"]))


def _chat_whole(document: dict[str, Any]) -> Heard:
    (choice,) = document["choices"]
    return Heard(choice["message"]["content"], choice["finish_reason"])


def _messages_whole(document: dict[str, Any]) -> Heard:
    return Heard("".join(block["text"] for block in document["content"]), document["stop_reason"])


def _responses_whole(document: dict[str, Any]) -> Heard:
    parts = [part for item in document["output"] for part in item["content"]]
    return Heard("".join(part["text"] for part in parts), document["status"])


_STREAMS: Final[Mapping[str, Callable[[bytes, bool], Heard]]] = {
    "chat": _chat_stream,
    "messages": _messages_stream,
    "responses": _responses_stream,
}
_WHOLES: Final[Mapping[str, Callable[[dict[str, Any]], Heard]]] = {
    "chat": _chat_whole,
    "messages": _messages_whole,
    "responses": _responses_whole,
}
