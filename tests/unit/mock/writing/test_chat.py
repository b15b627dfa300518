from typing import Any

import msgspec
import pytest

from trunkline.mock.call import Call
from trunkline.mock.reply import Reply
from trunkline.mock.script import Answer, Pace, ToolCall
from trunkline.mock.writing.chat import write as answer_call

TOOLS = (("weather", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),)


def body(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(reply.parts[0].data)
    return found


def message(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = body(reply)["choices"][0]["message"]
    return found


def chunks(reply: Reply) -> list[dict[str, Any]]:
    assert reply.parts[-1].data == b"data: [DONE]\n\n"
    return [msgspec.json.decode(part.data.removeprefix(b"data: ").removesuffix(b"\n\n")) for part in reply.parts[:-1]]


def say(answer: Answer = Answer(), pace: Pace = Pace(), **call: Any) -> Reply:  # noqa: B008
    return answer_call(Call(**{"model": "m", "text": "one two three", "words": 3, **call}), answer, pace, serial=7)


def test_the_default_echoes_the_last_message_with_counted_words() -> None:
    reply = say()
    assert message(reply) == {"role": "assistant", "content": "one two three", "refusal": None}
    assert body(reply)["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
    assert body(reply)["choices"][0]["finish_reason"] == "stop"
    assert body(reply)["model"] == "m"


def test_the_same_call_gives_the_same_bytes() -> None:
    assert say() == say()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(text="Hello you there.", reasoning="Let me think.", words=2),
        Answer(text=None, tool_calls=(ToolCall(name="a", arguments={"x": [1, 2]}), ToolCall(name="b", arguments='{"broken'))),
        Answer(text="", refusal="I will not."),
    ],
)
def test_the_stream_folds_to_the_whole_answer(answer: Answer) -> None:
    expected = message(say(answer))
    text, reasoning, refusal, calls = "", "", "", {}
    for chunk in chunks(say(answer, stream=True)):
        delta = chunk["choices"][0]["delta"]
        text += delta.get("content") or ""
        reasoning += delta.get("reasoning_content", "")
        refusal += delta.get("refusal") or ""
        for piece in delta.get("tool_calls", ()):
            call = calls.setdefault(piece["index"], {"id": piece.get("id"), "name": piece["function"].get("name"), "arguments": ""})
            call["arguments"] += piece["function"]["arguments"]
    assert text == (expected["content"] or "")
    assert reasoning == expected.get("reasoning_content", "")
    assert refusal == (expected["refusal"] or "")
    assert list(calls.values()) == [{"id": call["id"], **call["function"]} for call in expected.get("tool_calls", [])]


def test_the_order_of_a_stream() -> None:
    reply = say(Answer(reasoning="hm"), stream=True, include_usage=True)
    assert [part.kind for part in reply.parts] == ["role", *["content"] * 4, "finish", "usage", "done"]
    *content, last = chunks(reply)
    assert all(chunk["usage"] is None for chunk in content)
    assert last["choices"] == []
    assert last["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
        "completion_tokens_details": {"reasoning_tokens": 1},
    }


@pytest.mark.parametrize(
    ("place", "asked", "where"),
    [("asked", False, []), ("always", False, [5]), ("finish", True, [4]), ("every", True, [0, 1, 2, 3, 4]), ("never", True, [])],
)
def test_where_the_usage_stands(place: Any, asked: bool, where: list[int]) -> None:
    found = chunks(say(Answer(usage_place=place), stream=True, include_usage=asked))
    assert [at for at, chunk in enumerate(found) if chunk.get("usage")] == where


def test_no_usage_without_streaming_either() -> None:
    assert "usage" not in body(say(Answer(usage_place="never")))


def test_a_vendors_usage_object_is_sent_as_it_is() -> None:
    usage: dict[str, object] = {"prompt_cache_hit_tokens": 5}
    assert body(say(Answer(usage=usage)))["usage"] == usage


def test_events_gives_exactly_that_many() -> None:
    assert [part.kind for part in say(Answer(events=50), stream=True).parts].count("content") == 50


def test_a_token_limit_ends_the_echo_with_length() -> None:
    reply = say(max_tokens=2)
    assert message(reply)["content"] == "one two "
    assert body(reply)["choices"][0]["finish_reason"] == "length"


def test_a_forced_tool_is_called_with_fitting_arguments() -> None:
    reply = say(tools=TOOLS, forced_tool="weather")
    assert message(reply)["content"] is None
    assert body(reply)["choices"][0]["finish_reason"] == "tool_calls"
    [call] = message(reply)["tool_calls"]
    assert call["function"] == {"name": "weather", "arguments": '{"city":"mock"}'}


def test_a_response_format_is_answered_with_fitting_json() -> None:
    assert message(say(schema={"type": "array", "minItems": 2, "items": {"type": "integer"}}))["content"] == "[0,0]"


def test_scripted_names_headers_and_extras() -> None:
    reply = say(
        Answer(
            finish_reason="content_filter",
            model="other",
            headers={"x-a": "1"},
            extra={"provider": "p"},
            reasoning="r",
            reasoning_field="reasoning",
        )
    )
    assert (body(reply)["model"], body(reply)["provider"], message(reply)["reasoning"]) == ("other", "p", "r")
    assert body(reply)["choices"][0]["finish_reason"] == "content_filter"
    assert ("x-a", "1") in reply.headers


def test_waits_stand_at_content_and_what_follows_it() -> None:
    reply = say(pace=Pace(first_ms=50, event_ms=10), stream=True, include_usage=True)
    assert [part.wait for part in reply.parts] == [0, 0.05, 0.01, 0.01, 0.01, 0.01, 0]
