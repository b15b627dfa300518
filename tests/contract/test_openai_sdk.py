"""The `openai` package against a running gateway: the client most programs already have."""

import json
import os
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from clients import QUESTION
from gateway import API_KEY, MANAGEMENT_KEY, Gateway
from openai import OpenAI

from trunkline.local import presence, weights
from trunkline.mock.script import Answer, Fault, Pace, Rule
from trunkline.mock.thread import MockServer

FOUND = presence.installed(weights.default_directory(os.environ))
LOCAL_MODEL = "huggingfacetb/smollm2-135m-instruct"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOL: Any = {"type": "function", "function": {"name": "weather", "description": "The weather of a city", "parameters": CITY}}
SCHEMA: Any = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": CITY}}


def sdk(gateway: Gateway, key: str = API_KEY) -> OpenAI:
    """The client as a user makes it, but without retries."""
    return OpenAI(api_key=key, base_url=f"{gateway.url}/api/v1", max_retries=0, timeout=60)


@pytest.fixture
def client(gateway: Gateway, upstream: MockServer) -> Iterator[OpenAI]:
    with sdk(gateway) as client:
        yield client


def ask(client: OpenAI, **fields: Any) -> Any:
    """A chat completion, of `acme/echo-1` unless the fields say otherwise."""
    return client.chat.completions.create(**{"model": "acme/echo-1", "messages": QUESTION, **fields})


def test_models_are_listed(client: OpenAI) -> None:
    assert "acme/echo-1" in {model.id for model in client.models.list()}


def test_a_chat_completion(client: OpenAI) -> None:
    answer = ask(client)
    assert answer.choices[0].message.content == "What is the capital of France?"
    assert answer.id.startswith("gen-")
    assert answer.usage.cost == pytest.approx(18e-6)


def test_a_stream(client: OpenAI) -> None:
    chunks = list(ask(client, stream=True))
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == "What is the capital of France?"
    assert chunks[-1].usage.total_tokens == 12


def test_the_streaming_helper_gathers_a_tool_call(client: OpenAI) -> None:
    choice: Any = {"type": "function", "function": {"name": "weather"}}
    with client.chat.completions.stream(model="acme/echo-1", messages=QUESTION, tools=[TOOL], tool_choice=choice) as stream:
        final = stream.get_final_completion()
    [made] = final.choices[0].message.tool_calls or []
    assert final.choices[0].finish_reason == "tool_calls"
    assert json.loads(made.function.arguments).keys() == {"city"}


def test_a_structured_answer(client: OpenAI) -> None:
    assert json.loads(ask(client, response_format=SCHEMA).choices[0].message.content).keys() == {"city"}


def test_extras_of_openrouter_pass(client: OpenAI, upstream: MockServer) -> None:
    upstream.use(Rule(answer=Answer(text="Paris.", reasoning="Think of France.")))
    body = {"models": ["acme/free"], "provider": {"only": ["acme"]}, "reasoning": {"effort": "low"}}
    answer = ask(client, extra_body=body, extra_headers={"HTTP-Referer": "https://app.test", "X-Title": "App"})
    assert answer.choices[0].message.reasoning == "Think of France."
    assert answer.provider == "Acme"


def test_a_legacy_completion(client: OpenAI) -> None:
    answer = client.completions.create(model="acme/echo-1", prompt="Once upon a time")
    assert answer.choices[0].text == "Once upon a time"
    streamed = client.completions.create(model="acme/echo-1", prompt="Once upon a time", stream=True)
    assert "".join(choice.text for chunk in streamed for choice in chunk.choices) == "Once upon a time"


@pytest.mark.parametrize(
    ("fields", "raised"),
    [
        ({"model": "acme/nothing"}, openai.BadRequestError),
        ({"temperature": "hot"}, openai.BadRequestError),
        ({"model": "openai/gpt-5.2"}, openai.NotFoundError),
        ({"model": "nowhere/gone"}, openai.InternalServerError),
    ],
)
def test_errors_are_raised_by_their_status(client: OpenAI, fields: dict[str, Any], raised: type[Exception]) -> None:
    with pytest.raises(raised):
        ask(client, **fields)


def test_keys_are_checked(gateway: Gateway) -> None:
    with sdk(gateway, "sk-or-v1-" + "0" * 64) as stranger, pytest.raises(openai.AuthenticationError):
        ask(stranger)
    with sdk(gateway, MANAGEMENT_KEY) as manager, pytest.raises(openai.PermissionDeniedError):
        ask(manager)


def test_a_rate_limit_is_raised_and_waited_for(gateway: Gateway, client: OpenAI, upstream: MockServer) -> None:
    upstream.use(Rule(fault=Fault(kind="status", status=429, retry_after=1)))
    with pytest.raises(openai.RateLimitError) as raised:
        ask(client)
    assert raised.value.response.headers["retry-after"] == "1"
    upstream.use(Rule(first=1, fault=Fault(kind="status", status=429, retry_after=1)))
    with client.with_options(max_retries=1) as patient:
        assert ask(patient).choices[0].finish_reason == "stop"


def test_a_failure_in_mid_stream_is_raised_after_the_partial_text(client: OpenAI, upstream: MockServer) -> None:
    upstream.use(Rule(answer=Answer(events=5), pace=Pace(event_ms=20), fault=Fault(kind="drop", events=2)))
    said = ""
    with pytest.raises(openai.APIError, match="Acme"):
        for chunk in ask(client, stream=True):
            said += chunk.choices[0].delta.content or ""
    assert said.startswith("w0 ")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """A gateway with the real local model."""
    if not FOUND.complete and os.environ.get("CI") != "true":
        pytest.skip(FOUND.reason)
    with Gateway(tmp_path_factory.mktemp("local"), environ={"TRUNKLINE_LOCAL": "on"}) as gateway, sdk(gateway) as client:
        yield client


@pytest.mark.local_model
class TestLocalModel:
    """The real model on this machine, through the gateway."""

    def ask(self, client: OpenAI, **fields: Any) -> Any:
        return ask(client, **{"model": LOCAL_MODEL, "temperature": 0, "max_tokens": 24, **fields})

    def test_it_knows_the_capital_of_france(self, local: OpenAI) -> None:
        answer = self.ask(local)
        assert "Paris" in answer.choices[0].message.content
        assert answer.usage.prompt_tokens > 5
        assert answer.usage.cost == 0

    def test_its_stream_says_the_same(self, local: OpenAI) -> None:
        chunks = list(self.ask(local, stream=True))
        said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        assert said == self.ask(local).choices[0].message.content
        assert chunks[-1].usage.completion_tokens > 0

    def test_it_calls_a_tool_that_it_must_call(self, local: OpenAI) -> None:
        messages = [{"role": "user", "content": "How is the weather in Paris?"}]
        choice = {"type": "function", "function": {"name": "weather"}}
        answer = self.ask(local, messages=messages, tools=[TOOL], tool_choice=choice, max_tokens=60)
        [made] = answer.choices[0].message.tool_calls
        assert made.function.name == "weather"
        assert json.loads(made.function.arguments).keys() == {"city"}
        assert answer.choices[0].finish_reason == "tool_calls"

    def test_its_structured_answer_fits_the_schema(self, local: OpenAI) -> None:
        answer = self.ask(local, response_format=SCHEMA, max_tokens=60)
        assert json.loads(answer.choices[0].message.content).keys() == {"city"}

    def test_it_stops_where_it_is_told(self, local: OpenAI) -> None:
        assert "Paris" not in (self.ask(local, stop=["Paris"]).choices[0].message.content or "")
        short = self.ask(local, max_tokens=3)
        assert short.choices[0].finish_reason == "length"
        assert short.usage.completion_tokens == 3
