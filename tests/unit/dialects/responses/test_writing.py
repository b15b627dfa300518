import pytest

from trunkline.dialects.responses import seal
from trunkline.dialects.responses.writing import Call, Message, Said, Thought


def names(said: Said) -> list[str]:
    return [name.removeprefix("response.") for name, _ in said]


def test_a_message_is_opened_told_and_closed() -> None:
    message = Message("msg_1", 2, refusal=False)
    assert names(message.open()) == ["output_item.added", "content_part.added"]
    where = {"item_id": "msg_1", "output_index": 2, "content_index": 0}
    assert message.add("text", "a") == [("response.output_text.delta", {**where, "delta": "a", "logprobs": ()})]
    assert message.add("text", "") == []
    assert message.add("signature", "x") == []
    (cited,) = message.add("annotation", '{"type":"url_citation","url_citation":{"url":"u"}}')
    assert cited[1]["annotation_index"] == 0
    assert message.add("annotation", '{"type":"file","file":{}}') == []
    said = message.close("incomplete")
    assert names(said) == ["output_text.done", "content_part.done", "output_item.done"]
    assert said[0][1]["text"] == "a"
    assert message.item["status"] == "incomplete"


def test_a_refusal_is_a_message_of_its_own() -> None:
    message = Message("msg_1", 0, refusal=True)
    message.open()
    assert message.add("text", "no") == [
        ("response.refusal.delta", {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "no"})
    ]
    assert names(message.close("completed")) == ["refusal.done", "content_part.done", "output_item.done"]
    assert message.item["content"] == [{"type": "refusal", "refusal": "no"}]


def test_a_thought_shows_summary_and_text_apart() -> None:
    thought = Thought("rs_1", 0, family="f")
    assert names(thought.open()) == ["output_item.added"]
    assert names(thought.add("summary", "s")) == ["reasoning_summary_part.added", "reasoning_summary_text.delta"]
    assert names(thought.add("summary", "s")) == ["reasoning_summary_text.delta"]
    assert names(thought.add("text", "t")) == ["content_part.added", "reasoning_text.delta"]
    assert thought.add("text", "") == thought.add("data", "ZQ") == thought.add("signature", "c2ln") == []
    assert names(thought.close("completed")) == [
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "reasoning_text.done", "content_part.done", "output_item.done")
    ]
    assert thought.item == {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "ss"}],
        "status": "completed",
        "format": "f",
        "content": [{"type": "reasoning_text", "text": "t"}],
        "signature": "c2ln",
        "encrypted_content": seal.close("f", "c2ln", "ZQ"),
    }


@pytest.mark.parametrize(
    ("custom", "status", "arguments"), [(False, "completed", "{}"), (False, "incomplete", ""), (True, "completed", "")]
)
def test_a_call_without_arguments(custom: bool, status: str, arguments: str) -> None:
    call = Call("fc_1", 0, call_id="c", name="f", custom=custom)
    call.open()
    said = call.close(status)
    assert call.item["input" if custom else "arguments"] == arguments
    assert names(said)[-1] == "output_item.done"
    assert ("function_call_arguments.delta" in names(said)) is (arguments == "{}")


def test_a_call_is_told_in_pieces() -> None:
    call = Call("fc_1", 0, call_id="c", name="f", custom=False)
    assert call.open()[0][1]["item"] == {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "c",
        "name": "f",
        "arguments": "",
        "status": "in_progress",
    }
    assert names(call.add("arguments", '{"a"')) == ["function_call_arguments.delta"]
    assert call.add("text", "x") == call.add("arguments", "") == []
    call.add("arguments", ":1}")
    assert call.close("completed")[0][1] == {"item_id": "fc_1", "output_index": 0, "name": "f", "arguments": '{"a":1}'}
