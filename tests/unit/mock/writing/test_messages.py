import json

from vendor_readers import sse

from trunkline.mock.call import Call
from trunkline.mock.reply import Reply
from trunkline.mock.script import Answer, Pace, Tokens, ToolCall
from trunkline.mock.seals import holds
from trunkline.mock.writing.messages import count_tokens, write


def streamed(answer: Answer) -> Reply:
    return write(Call(model="m", stream=True, text="a b", words=2), answer, Pace(), serial=1)


def events(answer: Answer) -> list[dict[str, object]]:
    return [json.loads(data) for _, data in sse(b"".join(part.data for part in streamed(answer).parts))]


def test_blocks_in_order_with_a_ping_after_the_first_start() -> None:
    answer = Answer(reasoning="Hm.", redacted="x", text="Yes.", tool_calls=(ToolCall(name="t", arguments={"a": 1}),))
    found = events(answer)
    assert [event["type"] for event in found[:3]] == ["message_start", "content_block_start", "ping"]
    starts = [event["content_block"]["type"] for event in found if event["type"] == "content_block_start"]  # type: ignore[index]
    assert starts == ["thinking", "redacted_thinking", "text", "tool_use"]


def test_the_start_holds_the_input_and_the_end_the_output() -> None:
    found = events(Answer(tokens=Tokens(prompt=10, completion=7, cached=4)))
    start, end = found[0]["message"]["usage"], found[-2]["usage"]  # type: ignore[index]
    assert (start["input_tokens"], start["output_tokens"], start["cache_read_input_tokens"]) == (6, 1, 4)
    assert (end["input_tokens"], end["output_tokens"]) == (6, 7)  # type: ignore[index]


def test_the_signature_seals_the_thinking_unless_scripted() -> None:
    reply = write(Call(text="a"), Answer(reasoning="Hm. So."), Pace(), serial=1)
    block = json.loads(reply.parts[0].data)["content"][0]
    assert holds(block["signature"], "Hm. So.", kind="thinking")
    reply = write(Call(text="a"), Answer(reasoning="Hm.", signature="mine"), Pace(), serial=1)
    assert json.loads(reply.parts[0].data)["content"][0]["signature"] == "mine"


def test_a_refusal_stops_as_one() -> None:
    found = json.loads(write(Call(text="a"), Answer(text="", refusal="No."), Pace(), serial=1).parts[0].data)
    assert (found["stop_reason"], found["content"]) == ("refusal", [{"type": "text", "text": "No."}])


def test_broken_arguments_are_streamed_as_they_are() -> None:
    found = events(Answer(tool_calls=(ToolCall(name="t", arguments='{"a": '),)))
    pieces = [event["delta"]["partial_json"] for event in found if event["type"] == "content_block_delta"]  # type: ignore[index]
    assert (pieces[0], "".join(pieces)) == ("", '{"a": ')


def test_counting() -> None:
    assert count_tokens(Call(words=5), Answer(), Pace(), serial=1).parts[0].data == b'{"input_tokens":5}'


def test_every_part_says_what_it_is() -> None:
    kinds = [part.kind for part in streamed(Answer(text="a")).parts]
    assert kinds == ["role", "open", "comment", "content", "close", "finish", "done"]
