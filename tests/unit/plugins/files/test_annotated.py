"""Annotations among the events of an answer."""

from typing import Any

import msgspec
import pytest
from grammar_chat import ChatGrammar

from trunkline.dialects.chat import request as chat
from trunkline.dialects.chat.encoder import ChatEncoder
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Finish
from trunkline.dialects.hub.translation import Identity
from trunkline.errors import ApiError
from trunkline.plugins.files.annotated import Annotated
from trunkline.protocol.usage import Cost, Usage

FILE: dict[str, Any] = {"type": "file", "file": {"hash": "h", "name": "a.pdf", "content": [{"type": "text", "text": "x"}]}}
CITATION = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
REQUEST = chat.parse(b'{"model":"a/m","messages":[{"role":"user","content":"hi"}]}')


def encoder() -> Annotated:
    return Annotated(ChatEncoder(Identity("gen-1", "a/m", "One", 1), REQUEST), [msgspec.json.encode(FILE).decode()])


def streamed(*reads: list[Event]) -> ChatGrammar:
    one, grammar = encoder(), ChatGrammar()
    for events in reads:
        grammar.feed(one.feed(events))
    grammar.feed(one.finish(fold([event for events in reads for event in events]), Usage(1, 1), Cost()))
    grammar.end()
    return grammar


TEXT: list[Event] = [BlockStart(0), Delta(0, "text", "Hello"), BlockStop(0), Finish("stop", "stop")]
THOUGHT: list[Event] = [BlockStart(0, "reasoning"), Delta(0, "text", "Hm"), BlockStop(0)]
CALL: list[Event] = [BlockStart(0, "tool_call", id="c", name="f"), Delta(0, "arguments", "{}"), BlockStop(0), Finish("tool_calls", "stop")]


def test_a_stream_tells_them_once_with_its_first_text() -> None:
    grammar = streamed(TEXT[:2], [Delta(0, "text", " you")], [BlockStart(1), Delta(1, "text", "!"), *TEXT[2:]])
    assert grammar.content == "Hello you!"
    assert grammar.annotations == [FILE]


def test_thoughts_come_before_them() -> None:
    later: list[Event] = [BlockStart(1), Delta(1, "text", "Hello"), BlockStop(1), Finish("stop", "stop")]
    grammar = streamed(THOUGHT, later)
    assert (grammar.reasoning, grammar.content, grammar.annotations) == ("Hm", "Hello", [FILE])


def test_an_answer_without_text_tells_them_at_its_end() -> None:
    grammar = streamed(CALL)
    assert [call["name"] for call in grammar.calls] == ["f"]
    assert grammar.annotations == [FILE]


@pytest.mark.parametrize("events", [TEXT, CALL, [*TEXT[:2], Delta(0, "annotation", msgspec.json.encode(CITATION).decode()), *TEXT[2:]]])
def test_a_whole_answer_tells_them_first(events: list[Event]) -> None:
    body = msgspec.json.decode(encoder().whole(fold(events), Usage(1, 1), Cost()))
    assert body["choices"][0]["message"]["annotations"][0] == FILE


def test_an_empty_answer_tells_them_too() -> None:
    body = msgspec.json.decode(encoder().whole(Answer(), Usage(1, 1), Cost()))
    assert body["choices"][0]["message"]["annotations"] == [FILE]


def test_a_failure_is_the_encoders_own() -> None:
    assert b'"finish_reason":"error"' in encoder().fail(ApiError("server", "no"))


def test_a_failed_answer_tells_them_too() -> None:
    body = encoder().partial(fold(TEXT[:3]), ApiError("provider_unavailable", "broke"))
    assert body is not None
    choice = msgspec.json.decode(body)["choices"][0]
    assert (choice["message"]["content"], choice["message"]["annotations"], choice["finish_reason"]) == ("Hello", [FILE], "error")
