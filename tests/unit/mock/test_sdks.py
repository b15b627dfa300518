"""The vendors' own clients read the mock over a socket."""

import openai
import pytest
from openai.types.responses import ResponseErrorEvent, ResponseFailedEvent, ResponseFunctionToolCall

from trunkline.mock.script import Answer, Fault, Match, Rule
from trunkline.mock.thread import MockServer

OFFERED = Rule(answer=Answer(reasoning="Let me look.", offered=1))
SCHEMA: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
BROKEN = Rule(match=Match(contains="break"), fault=Fault(kind="error_event", status=429, message="slow down"))


def test_responses_with_openais_client() -> None:
    with MockServer(rules=[BROKEN, OFFERED]) as mock, openai.OpenAI(base_url=mock.url, api_key="k", max_retries=0) as client:
        tool = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
        with client.responses.stream(model="m", input="go", tools=[tool], include=["reasoning.encrypted_content"]) as stream:  # type: ignore[list-item]
            first = stream.get_final_response()
        call = first.output[-1]
        assert isinstance(call, ResponseFunctionToolCall)
        assert (call.name, call.arguments) == ("weather", '{"city":"mock"}')
        items = [item.model_dump(exclude_none=True) for item in first.output]
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
        second = client.responses.create(model="m", input=[{"role": "user", "content": "go"}, *items])  # type: ignore[list-item]
        assert second.output_text == "The tools answered: sunny"
        *_, error, failed = client.responses.create(model="m", input="break", stream=True)
        assert isinstance(error, ResponseErrorEvent)
        assert isinstance(failed, ResponseFailedEvent)
        assert (error.code, error.message) == ("rate_limit_exceeded", "slow down")


def test_other_operations_with_openais_client() -> None:
    with MockServer() as mock, openai.OpenAI(base_url=mock.url, api_key="k", max_retries=0) as client:
        assert len(client.embeddings.create(model="m", input=["a", "b"]).data[1].embedding) == 8
        assert client.images.generate(model="m", prompt="a car").data
        assert client.audio.speech.create(model="m", voice="alloy", input="a b", response_format="wav").read()[:4] == b"RIFF"
        heard = client.audio.transcriptions.create(model="m", file=("a.wav", b"RIFF"))
        assert heard.text == "a.wav of 4 bytes"
        assert [seen.dialect for seen in mock.seen()] == ["embeddings", "images", "speech", "transcription"]


def test_messages_with_anthropics_client() -> None:
    anthropic = pytest.importorskip("anthropic")
    with MockServer(rules=[BROKEN, OFFERED]) as mock, anthropic.Anthropic(base_url=mock.origin, api_key="k", max_retries=0) as client:
        tool = {"name": "weather", "input_schema": SCHEMA}
        turns = [{"role": "user", "content": "go"}]
        with client.messages.stream(model="m", max_tokens=50, messages=turns, tools=[tool]) as stream:
            first = stream.get_final_message()
        assert (first.content[-1].name, first.content[-1].input, first.stop_reason) == ("weather", {"city": "mock"}, "tool_use")
        turns.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]})
        turns.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": first.content[-1].id, "content": "sunny"}]})
        second = client.messages.create(model="m", max_tokens=50, messages=turns, tools=[tool])
        assert second.content[-1].text == "The tools answered: sunny"
        assert client.messages.count_tokens(model="m", messages=turns[:1]).input_tokens == 1
        with pytest.raises(anthropic.APIStatusError, match="slow down"):
            list(client.messages.create(model="m", max_tokens=50, messages=[{"role": "user", "content": "break"}], stream=True))
