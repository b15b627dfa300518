"""OpenRouter's own Python SDK, chat and responses, over models that are served in every upstream dialect."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from gateway import API_KEY, Gateway
from openrouter import OpenRouter, errors
from polyglot import CITY, DIALECTS, LOOP, QUESTION, SUNNY, came_back, name_of

from trunkline.mock.script import Answer, Fault, Pace, Rule
from trunkline.mock.thread import MockServer

FUNCTION = {"name": "weather", "description": "The weather of a city", "parameters": CITY}
TOOL: Any = {"type": "function", "function": FUNCTION}
ITEM: Any = {"type": "function", **FUNCTION}
SCHEMA: Any = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": CITY}}
ASKED: Any = {"role": "user", "content": QUESTION}

pytestmark = [
    pytest.mark.parametrize("dialect", DIALECTS),
    pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning"),  # of fields that the SDK itself reads
]


@pytest.fixture
def client(speaker: Gateway, upstream: MockServer) -> Iterator[OpenRouter]:
    with OpenRouter(api_key=API_KEY, server_url=f"{speaker.url}/api/v1", retry_config=None, timeout_ms=60_000) as client:
        yield client


def ask(client: OpenRouter, dialect: str, **fields: Any) -> Any:
    return client.chat.send(**{"model": name_of(dialect), "messages": [ASKED], "retries": None, **fields})


def respond(client: OpenRouter, dialect: str, **fields: Any) -> Any:
    return client.responses.send(**{"model": name_of(dialect), "input": QUESTION, "retries": None, **fields})


def test_a_chat_completion_and_its_stream(client: OpenRouter, dialect: str) -> None:
    answer = ask(client, dialect, temperature=0.5, max_tokens=50)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (QUESTION, "stop")
    assert (answer.model, answer.usage.cost > 0) == (name_of(dialect), True)
    with ask(client, dialect, stream=True) as events:
        chunks = list(events)
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == QUESTION
    assert [chunk.usage.cost > 0 for chunk in chunks if chunk.usage] == [True]


def test_a_tool_loop_with_its_reasoning(client: OpenRouter, upstream: MockServer, dialect: str) -> None:
    upstream.use(*LOOP)
    fields: Any = {"tools": [TOOL], "reasoning": {"effort": "low"}}
    answer = ask(client, dialect, **fields)
    assert answer.choices[0].finish_reason == "tool_calls"
    message = answer.choices[0].message
    [call] = message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Paris"})
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    again = ask(client, dialect, messages=[ASKED, message, result], **fields)
    assert again.choices[0].message.content == SUNNY
    assert came_back(upstream, dialect)


def test_a_structured_answer(client: OpenRouter, dialect: str) -> None:
    answer = ask(client, dialect, response_format=SCHEMA)
    assert json.loads(answer.choices[0].message.content).keys() == {"city"}


def test_a_response_and_its_stream(client: OpenRouter, dialect: str) -> None:
    response = respond(client, dialect, max_output_tokens=50)
    assert (response.output[0].content[0].text, response.status) == (QUESTION, "completed")
    with respond(client, dialect, stream=True) as events:
        told = list(events)
    assert "".join(event.delta for event in told if event.type == "response.output_text.delta") == QUESTION
    assert told[-1].type == "response.completed"


def test_a_function_call_of_a_response(client: OpenRouter, upstream: MockServer, dialect: str) -> None:
    upstream.use(*LOOP)
    response = respond(client, dialect, tools=[ITEM])
    [call] = [item for item in response.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    made = {"type": "function_call", "id": call.id, "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    again = respond(client, dialect, tools=[ITEM], input=[ASKED, made, result])
    assert [part.text for item in again.output if item.type == "message" for part in item.content] == [SUNNY]


@pytest.mark.parametrize(
    ("status", "raised"),
    [(429, errors.TooManyRequestsResponseError), (500, errors.ServiceUnavailableResponseError), (400, errors.BadRequestResponseError)],
)
def test_what_the_upstream_refuses_is_raised_by_its_meaning(
    client: OpenRouter, upstream: MockServer, dialect: str, status: int, raised: type[Exception]
) -> None:
    upstream.use(Rule(fault=Fault(kind="status", status=status)))
    for call in (ask, respond):
        with pytest.raises(raised):
            call(client, dialect)


def test_a_failure_in_mid_stream_is_an_error_chunk(client: OpenRouter, upstream: MockServer, dialect: str) -> None:
    upstream.use(Rule(answer=Answer(events=5), pace=Pace(event_ms=20), fault=Fault(kind="drop", events=2)))
    with ask(client, dialect, stream=True) as events:
        chunks = list(events)
    assert chunks[-1].error is not None
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["error"]
