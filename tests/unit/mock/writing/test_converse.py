import json

import pytest
from vendor_readers import frames

from trunkline.mock.call import Call
from trunkline.mock.reply import Refusal, Reply
from trunkline.mock.script import Answer, Pace, Tokens, ToolCall
from trunkline.mock.writing.converse import MANNER, MEDIA, write

ANSWER = Answer(reasoning="Hm.", redacted="x", text="Yes.", tool_calls=(ToolCall(name="t", arguments={"a": 1}),), tool_pieces=1)


def streamed(answer: Answer) -> Reply:
    return write(Call(model="m", stream=True, text="a b", words=2), answer, Pace(), serial=1)


def test_the_order_of_a_stream() -> None:
    reply = streamed(ANSWER)
    names = [headers[":event-type"] for part in reply.parts for headers, _ in frames(part.data)]
    assert names == [
        "messageStart",
        *["contentBlockDelta", "contentBlockDelta", "contentBlockStop"],
        *["contentBlockDelta", "contentBlockStop"],
        *["contentBlockDelta", "contentBlockStop"],
        *["contentBlockStart", "contentBlockDelta", "contentBlockStop"],
        *["messageStop", "metadata"],
    ]
    assert dict(reply.headers)["content-type"] == MEDIA
    assert [part.kind for part in reply.parts][-2:] == ["finish", "usage"]


def test_one_hour_writes_are_told_apart() -> None:
    found = json.loads(write(Call(), Answer(tokens=Tokens(prompt=9, written=2, written_1h=3)), Pace(), serial=1).parts[0].data)
    assert found["usage"]["cacheWriteInputTokens"] == 5
    assert found["usage"]["cacheDetails"] == [{"ttl": "5m", "inputTokens": 2}, {"ttl": "1h", "inputTokens": 3}]


@pytest.mark.parametrize(
    ("status", "name"), [(429, "throttlingException"), (503, "serviceUnavailableException"), (500, "internalServerException")]
)
def test_a_failure_is_an_exception_frame(status: int, name: str) -> None:
    [(headers, payload)] = frames(MANNER.failure(Refusal(status=status, message="no")))
    assert (headers[":message-type"], headers[":exception-type"]) == ("exception", name)
    assert json.loads(payload) == {"message": "no"}


def test_the_vendors_own_parser_reads_the_stream() -> None:
    vendor = pytest.importorskip("botocore.eventstream")
    buffer = vendor.EventStreamBuffer()
    buffer.add_data(b"".join(part.data for part in streamed(ANSWER).parts))
    assert [event.headers[":event-type"] for event in buffer][-1] == "metadata"
