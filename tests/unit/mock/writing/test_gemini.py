import json
from typing import Any

from vendor_readers import gemini_stream, sse

from trunkline.mock.call import Asked, Call
from trunkline.mock.reply import Reply
from trunkline.mock.script import Answer, Pace, Tokens, ToolCall
from trunkline.mock.seals import holds
from trunkline.mock.writing.gemini import count_tokens, write

CALLS = (ToolCall(name="f", arguments={"a": 1}), ToolCall(name="g"))


def streamed(answer: Answer, alt: str = "sse") -> Reply:
    return write(Call(model="m", stream=True, text="a b", words=2, asked=Asked(path="/", query={"alt": alt})), answer, Pace(), serial=1)


def whole(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write(Call(model="m", text="a b", words=2), answer, Pace(), serial=1).parts[0].data)
    return found


def body(reply: Reply) -> bytes:
    return b"".join(part.data for part in reply.parts)


def test_only_the_first_of_parallel_calls_is_signed() -> None:
    parts = whole(Answer(tool_calls=CALLS))["candidates"][0]["content"]["parts"]
    assert [("thoughtSignature" in part) for part in parts] == [True, False]
    assert holds(parts[0]["thoughtSignature"], "f", kind="thought")
    assert whole(Answer(tool_calls=CALLS))["candidates"][0]["finishReason"] == "STOP"


def test_thoughts_without_a_call_sign_the_last_text() -> None:
    parts = whole(Answer(reasoning="Hm. So.", text="Yes. No."))["candidates"][0]["content"]["parts"]
    assert [(part["text"], part.get("thought", False), "thoughtSignature" in part) for part in parts] == [
        ("Hm. So.", True, False),
        ("Yes. No.", False, True),
    ]


def test_usage_grows_in_every_chunk() -> None:
    chunks = [json.loads(data) for _, data in sse(body(streamed(Answer(reasoning="Hm.", text="a b c"))), b"\r\n\r\n")]
    usages = [(chunk["usageMetadata"].get("thoughtsTokenCount"), chunk["usageMetadata"].get("candidatesTokenCount")) for chunk in chunks]
    assert usages == [(1, None), (1, 1), (1, 2), (1, 3), (1, 3)]
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks] == [None] * 4 + ["STOP"]


def test_without_sse_a_stream_is_one_array() -> None:
    reply = streamed(Answer(text="a b"), alt="")
    found = json.loads(body(reply))
    assert [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in found] == ["a ", "b", ""]
    assert dict(reply.headers)["content-type"].startswith("application/json")


def test_a_blocked_prompt_has_no_candidate() -> None:
    for found in (whole(Answer(finish_reason="blocked")), json.loads(body(streamed(Answer(finish_reason="blocked")))[6:])):
        assert found["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
        assert "candidates" not in found


def test_the_stream_folds_to_the_scripted_usage() -> None:
    said = gemini_stream(body(streamed(Answer(text="a", tokens=Tokens(prompt=9, completion=5, reasoning=2, cached=3)))))
    assert (said.usage["candidatesTokenCount"], said.usage["thoughtsTokenCount"], said.usage["totalTokenCount"]) == (3, 2, 14)


def test_counting() -> None:
    assert json.loads(count_tokens(Call(words=5), Answer(), Pace(), serial=1).parts[0].data)["totalTokens"] == 5
