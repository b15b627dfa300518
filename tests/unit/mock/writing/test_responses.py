import json
from typing import Any

from vendor_readers import sse

from trunkline.mock.call import Asked, Call
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Answer, Pace, ToolCall
from trunkline.mock.seals import opens
from trunkline.mock.writing.responses import MANNER, write


def call(*, stream: bool = False, **body: Any) -> Call:
    return Call(model="m", stream=stream, text="a b", words=2, asked=Asked(path="/", body=body))


def whole(answer: Answer, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write(call(**body), answer, Pace(), serial=1).parts[0].data)
    return found


def test_the_request_is_repeated() -> None:
    found = whole(Answer(), temperature=0.5, metadata={"a": "b"}, max_output_tokens=20, tools=[{"type": "function", "name": "f"}])
    assert (found["temperature"], found["metadata"], found["max_output_tokens"], found["tools"][0]["name"]) == (0.5, {"a": "b"}, 20, "f")
    assert (found["store"], found["truncation"], found["status"]) == (True, "disabled", "completed")


def test_encrypted_reasoning_only_where_it_is_asked_for() -> None:
    answer = Answer(reasoning="Hm.")
    assert "encrypted_content" not in whole(answer)["output"][0]
    item = whole(answer, include=["reasoning.encrypted_content"])["output"][0]
    assert opens(item["encrypted_content"], kind="encrypted")
    assert item["summary"] == [{"type": "summary_text", "text": "Hm."}]
    item = whole(Answer(redacted="hidden"), include=["reasoning.encrypted_content"])["output"][0]
    assert (item["summary"], opens(item["encrypted_content"], kind="encrypted")) == ([], True)


def test_how_it_ends() -> None:
    assert whole(Answer(finish_reason="length"))["incomplete_details"] == {"reason": "max_output_tokens"}
    failed = whole(Answer(finish_reason="error"))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")
    refused = whole(Answer(text="", refusal="No."))
    assert (refused["status"], refused["output"][0]["content"]) == ("completed", [{"type": "refusal", "refusal": "No."}])


def test_the_order_of_a_stream() -> None:
    answer = Answer(reasoning="Hm.", text="Yes.", tool_calls=(ToolCall(name="f", arguments={"a": 1}),), tool_pieces=1)
    reply = write(call(stream=True), answer, Pace(), serial=1)
    names = [name.removeprefix("response.") for name, _ in sse(b"".join(part.data for part in reply.parts))]
    assert names == [
        *["created", "in_progress"],
        *["output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done"],
        *["reasoning_summary_part.done", "output_item.done"],
        *["output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done", "output_item.done"],
        *["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"],
        "completed",
    ]
    assert (reply.parts[0].kind, reply.parts[-1].kind) == ("role", "done")


def test_a_failure_is_told_twice() -> None:
    names = [name for name, _ in sse(MANNER.failure(Refusal(status=429, message="slow down")))]
    assert names == ["error", "response.failed"]
