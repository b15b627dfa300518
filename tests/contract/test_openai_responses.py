"""The `openai` package's Responses over models that are served in every upstream dialect, and the end of their streams."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from clients import send
from gateway import API_KEY, Gateway
from grammar_responses import DONE, check
from openai import OpenAI
from polyglot import CITY, DIALECTS, LOOP, QUESTION, SUNNY, came_back, name_of
from pydantic import BaseModel

from trunkline.mock.script import Answer, Fault, Pace, Rule, Tokens
from trunkline.mock.thread import MockServer

TOOL: Any = {"type": "function", "name": "weather", "description": "The weather of a city", "parameters": CITY, "strict": True}
ASKED: Any = {"role": "user", "content": QUESTION}


class Place(BaseModel):
    """What a structured answer shall be."""

    city: str


@pytest.fixture
def client(speaker: Gateway, upstream: MockServer) -> Iterator[OpenAI]:
    with OpenAI(api_key=API_KEY, base_url=f"{speaker.url}/api/v1", max_retries=0, timeout=60) as client:
        yield client


def ask(client: OpenAI, dialect: str, **fields: Any) -> Any:
    return client.responses.create(**{"model": name_of(dialect), "input": QUESTION, "store": False, **fields})


def gather(client: OpenAI, dialect: str, **fields: Any) -> tuple[Any, list[Any]]:
    """The response of a stream as the SDK puts it together, and its events."""
    with client.responses.stream(**{"model": name_of(dialect), "input": QUESTION, "store": False, **fields}) as stream:
        events = list(stream)
        return stream.get_final_response(), events


@pytest.mark.parametrize("dialect", DIALECTS)
class TestEveryDialect:
    def test_a_response(self, client: OpenAI, upstream: MockServer, dialect: str) -> None:
        upstream.use(Rule(answer=Answer(text="Fine.", tokens=Tokens(prompt=100, completion=20, cached=30))))
        response = ask(client, dialect, instructions="Be brief.", temperature=0.5, max_output_tokens=50)
        assert (response.output_text, response.status, response.model) == ("Fine.", "completed", name_of(dialect))
        assert (response.usage.input_tokens, response.usage.output_tokens) == (100, 20)
        assert response.id.startswith("gen-")

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_prompt_that_is_too_long_is_no_error(self, client: OpenAI, upstream: MockServer, dialect: str, stream: bool) -> None:
        """Contract 2.12, "Responses skin": it is a response that ended for its length."""
        upstream.use(Rule(fault=Fault(kind="status", status=400, message="The prompt is too long")))
        answer = ask(client, dialect, stream=stream)
        response = [event.response for event in answer][-1] if stream else answer
        assert (response.status, response.error, response.output) == ("incomplete", None, [])
        assert response.incomplete_details.reason == "max_output_tokens"
        assert (response.error_type, response.usage.total_tokens) == ("context_length_exceeded", 0)

    def test_a_stream_says_the_same(self, client: OpenAI, dialect: str) -> None:
        response, events = gather(client, dialect)
        assert response.output_text == QUESTION
        assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == QUESTION
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert events[-1].type == "response.completed"

    def test_a_stream_ends_with_one_done(self, speaker: Gateway, upstream: MockServer, dialect: str) -> None:
        """Contract 5.1: after the terminal event comes `[DONE]`, and the SDK takes it for the end."""
        for events in (1, 5):
            upstream.use(Rule(answer=Answer(events=events)))
            body = send(speaker, "POST", "/responses", model=name_of(dialect), input=QUESTION, stream=True).body
            assert body.count(DONE) == 1
            assert check(body, passed=dialect == "responses").terminal == "response.completed"

    @pytest.mark.parametrize("streamed", [False, True])
    def test_a_tool_loop_with_its_reasoning(self, client: OpenAI, upstream: MockServer, dialect: str, streamed: bool) -> None:
        upstream.use(*LOOP)
        fields: Any = {"tools": [TOOL], "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]}
        response = gather(client, dialect, **fields)[0] if streamed else ask(client, dialect, **fields)
        [call] = [item for item in response.output if item.type == "function_call"]
        assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris"})
        assert [item.type for item in response.output if item.type != "function_call"][:1] == ["reasoning"]
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        again = ask(client, dialect, **{**fields, "input": [ASKED, *(plain(item) for item in response.output), result]})
        assert again.output_text == SUNNY
        assert came_back(upstream, dialect)

    def test_a_forced_call(self, client: OpenAI, dialect: str) -> None:
        response, events = gather(client, dialect, tools=[TOOL], tool_choice={"type": "function", "name": "weather"})
        [call] = [item for item in response.output if item.type == "function_call"]
        assert json.loads(call.arguments).keys() == {"city"}
        assert "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta") == call.arguments

    def test_a_structured_answer(self, client: OpenAI, dialect: str) -> None:
        parsed = client.responses.parse(model=name_of(dialect), input=QUESTION, text_format=Place).output_parsed
        assert isinstance(parsed, Place)
        response, _ = gather(client, dialect, text_format=Place)
        assert isinstance(response.output_parsed, Place)

    def test_a_short_answer_is_incomplete(self, client: OpenAI, upstream: MockServer, dialect: str) -> None:
        upstream.use(Rule(answer=Answer(text="It is", finish_reason="length")))
        response = ask(client, dialect)
        assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")

    @pytest.mark.parametrize(
        ("status", "raised"), [(429, openai.RateLimitError), (500, openai.InternalServerError), (400, openai.BadRequestError)]
    )
    def test_what_the_upstream_refuses_is_raised(
        self, client: OpenAI, upstream: MockServer, dialect: str, status: int, raised: type[openai.APIStatusError]
    ) -> None:
        upstream.use(Rule(fault=Fault(kind="status", status=status)))
        with pytest.raises(raised) as caught:
            ask(client, dialect)
        body: Any = caught.value.body
        assert body["code"] == caught.value.status_code
        assert body["message"]

    def test_a_failure_in_mid_stream_fails_the_response(self, client: OpenAI, upstream: MockServer, dialect: str) -> None:
        upstream.use(Rule(answer=Answer(events=5), pace=Pace(event_ms=20), fault=Fault(kind="drop", events=2)))
        events = list(ask(client, dialect, stream=True))
        assert "".join(event.delta for event in events if event.type == "response.output_text.delta").startswith("w0 ")
        assert events[-1].type == "response.failed"
        assert events[-1].response.error.message


def plain(item: Any) -> dict[str, Any]:
    """An output item as input: what is null is left out."""
    return item.model_dump(exclude_none=True, exclude={"parsed_arguments"})  # type: ignore[no-any-return]


def test_what_needs_a_store_is_refused(client: OpenAI) -> None:
    for fields in ({"store": True}, {"previous_response_id": "resp_1"}, {"background": True}):
        with pytest.raises(openai.BadRequestError, match=next(iter(fields))):
            ask(client, "responses", **fields)
