"""Whole answers as streams."""

import msgspec
import pytest

from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.chat.stream import ChatStream
from trunkline.dialects.chat.unstreamed import payloads_of
from trunkline.protocol.quirks import Quirks

CALLS = [{"id": f"c{number}", "type": "function", "function": {"name": "f", "arguments": f'{{"n":{number}}}'}} for number in range(2)]


def answer(message: dict[str, object], finish: str = "stop") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return msgspec.json.encode({"id": "up-1", "object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 1}})


@pytest.mark.parametrize(
    "body",
    [
        answer({"content": "Paris."}),
        answer({"content": "Paris.", "reasoning_content": "hm"}, "length"),
        answer({"content": None, "tool_calls": CALLS}, "tool_calls"),
    ],
)
def test_the_stream_says_what_the_answer_says(body: bytes) -> None:
    stream, whole = ChatStream("gen-1", "a/m", "One", 1, Quirks()), ChatReply("gen-1", "a/m", "One", 1, Quirks())
    whole.decode(body)
    stream.feed(payloads_of(body))
    assert stream.committed
    assert stream.done
    assert (stream.finish_reason, stream.usage, stream.output_chars) == (whole.finish_reason, whole.usage, whole.output_chars)
    assert [(call.id, call.name, call.arguments) for call in stream.tool_calls] == [
        (call.id, call.name, call.arguments) for call in whole.tool_calls
    ]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"choices": 1}', b'{"error": {"message": "no", "code": 500}}'])
def test_what_is_no_answer_is_refused_by_the_stream(body: bytes) -> None:
    stream = ChatStream("gen-1", "a/m", "One", 1, Quirks())
    stream.feed(payloads_of(body))
    assert not stream.committed
