import json

from vendor_readers import sse

from trunkline.mock.call import Call
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Answer, Pace, ToolCall
from trunkline.mock.writing.cohere import MANNER, write

CALLING = Answer(text="I will look.", reasoning="Hm.", tool_calls=(ToolCall(name="f", arguments={"a": 1}),), tool_pieces=1, words=9)


def names(answer: Answer) -> list[str]:
    reply = write(Call(model="m", stream=True, text="a b", words=2), answer, Pace(), serial=1)
    *events, last = sse(b"".join(part.data for part in reply.parts))
    assert last == ("", "[DONE]")
    return [name for name, _ in events]


def test_the_order_of_a_stream() -> None:
    assert names(Answer(text="Yes.")) == ["message-start", "content-start", "content-delta", "content-end", "message-end"]
    assert names(CALLING) == [
        "message-start",
        *["content-start", "content-delta", "content-end"],
        "tool-plan-delta",
        *["tool-call-start", "tool-call-delta", "tool-call-end"],
        "message-end",
    ]


def test_with_calls_the_text_is_their_plan() -> None:
    message = json.loads(write(Call(), CALLING, Pace(), serial=1).parts[0].data)["message"]
    assert (message["tool_plan"], message["content"]) == ("I will look.", [{"type": "thinking", "thinking": "Hm."}])


def test_a_failure_ends_the_message() -> None:
    [(name, data)] = sse(MANNER.failure(Refusal(status=500, message="no")))
    assert (name, json.loads(data)["delta"]) == ("message-end", {"error": "no", "finish_reason": "ERROR"})
