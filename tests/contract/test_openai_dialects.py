"""The `openai` package's chat completions over models that are served in every upstream dialect."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from gateway import API_KEY, Gateway
from openai import OpenAI
from polyglot import CITY, DIALECTS, LOOP, QUESTION, SUNNY, came_back, name_of

from trunkline.mock.script import Answer, Fault, Pace, Rule, Tokens
from trunkline.mock.thread import MockServer

TOOL: Any = {"type": "function", "function": {"name": "weather", "description": "The weather of a city", "parameters": CITY}}
SCHEMA: Any = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": CITY}}
ASKED: Any = {"role": "user", "content": QUESTION}

pytestmark = pytest.mark.parametrize("dialect", DIALECTS)


@pytest.fixture
def client(speaker: Gateway, upstream: MockServer) -> Iterator[OpenAI]:
    with OpenAI(api_key=API_KEY, base_url=f"{speaker.url}/api/v1", max_retries=0, timeout=60) as client:
        yield client


def ask(client: OpenAI, dialect: str, **fields: Any) -> Any:
    return client.chat.completions.create(**{"model": name_of(dialect), "messages": [ASKED], **fields})


def test_a_chat_completion(client: OpenAI, upstream: MockServer, dialect: str) -> None:
    upstream.use(Rule(answer=Answer(text="Fine.", tokens=Tokens(prompt=100, completion=20, cached=30))))
    answer = ask(client, dialect, temperature=0.5, max_tokens=50)
    assert answer.choices[0].message.content == "Fine."
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 20)
    assert answer.model == name_of(dialect)
    assert answer.id.startswith("gen-")
    assert answer.usage.cost > 0


def test_a_stream_says_the_same(client: OpenAI, dialect: str) -> None:
    chunks = list(ask(client, dialect, stream=True))
    said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert said == QUESTION
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert [chunk.usage.total_tokens > 5 for chunk in chunks if chunk.usage] == [True]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_loop_with_its_reasoning(client: OpenAI, upstream: MockServer, dialect: str, streamed: bool) -> None:
    upstream.use(*LOOP)
    fields: Any = {"tools": [TOOL], "extra_body": {"reasoning": {"effort": "low"}}}
    if streamed:
        made = gathered(ask(client, dialect, stream=True, **fields))
    else:
        answer = ask(client, dialect, **fields)
        assert answer.choices[0].finish_reason == "tool_calls"
        made = answer.choices[0].message.model_dump(exclude_none=True)
    [call] = made["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("weather", {"city": "Paris"})
    result: Any = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
    again: Any = {**fields, "messages": [ASKED, made, result]}
    assert ask(client, dialect, **again).choices[0].message.content == SUNNY
    assert came_back(upstream, dialect)


def gathered(chunks: Any) -> dict[str, Any]:
    """The assistant's message of a stream, put together as OpenRouter's documents say."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "reasoning_details": [], "tool_calls": []}
    for chunk in chunks:
        for choice in chunk.choices:
            message["reasoning_details"] += getattr(choice.delta, "reasoning_details", None) or []
            for call in choice.delta.tool_calls or ():
                if call.index == len(message["tool_calls"]):
                    message["tool_calls"].append(
                        {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": ""}}
                    )
                message["tool_calls"][call.index]["function"]["arguments"] += call.function.arguments or ""
    return message


def test_a_forced_call(client: OpenAI, dialect: str) -> None:
    choice: Any = {"type": "function", "function": {"name": "weather"}}
    with client.chat.completions.stream(model=name_of(dialect), messages=[ASKED], tools=[TOOL], tool_choice=choice) as stream:
        final = stream.get_final_completion()
    [made] = final.choices[0].message.tool_calls or []
    assert json.loads(made.function.arguments).keys() == {"city"}
    assert final.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_structured_answer(client: OpenAI, dialect: str, streamed: bool) -> None:
    answer = ask(client, dialect, response_format=SCHEMA, stream=streamed)
    if streamed:
        said = "".join(choice.delta.content or "" for chunk in answer for choice in chunk.choices)
    else:
        assert answer.choices[0].finish_reason == "stop"
        said = answer.choices[0].message.content
    assert json.loads(said).keys() == {"city"}


def test_a_short_answer_ends_with_length(client: OpenAI, upstream: MockServer, dialect: str) -> None:
    upstream.use(Rule(answer=Answer(text="It is", finish_reason="length")))
    assert ask(client, dialect).choices[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("status", "raised"), [(429, openai.RateLimitError), (500, openai.InternalServerError), (400, openai.BadRequestError)]
)
def test_what_the_upstream_refuses_is_raised(
    client: OpenAI, upstream: MockServer, dialect: str, status: int, raised: type[openai.APIStatusError]
) -> None:
    upstream.use(Rule(fault=Fault(kind="status", status=status)))
    with pytest.raises(raised) as caught:
        ask(client, dialect)
    assert caught.value.body["code"] == caught.value.status_code  # type: ignore[index, call-overload]


def test_a_failure_in_mid_stream_is_raised_after_the_partial_text(client: OpenAI, upstream: MockServer, dialect: str) -> None:
    upstream.use(Rule(answer=Answer(events=5), pace=Pace(event_ms=20), fault=Fault(kind="drop", events=2)))
    said = ""
    with pytest.raises(openai.APIError):
        for chunk in ask(client, dialect, stream=True):
            said += chunk.choices[0].delta.content or ""
    assert said.startswith("w0 ")
