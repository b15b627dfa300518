"""OpenRouter's own Python SDK against a running gateway: what it parses, and what it raises."""

from collections.abc import Iterator
from typing import Any

import pytest
from clients import QUESTION, until
from gateway import API_KEY, MANAGEMENT_KEY, Gateway
from openrouter import OpenRouter, errors
from openrouter.operations import ListModelsUserSecurity

from trunkline.mock.script import Answer, Fault, Match, Pace, Rule, ToolCall
from trunkline.mock.thread import MockServer

pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning")  # of fields that the SDK itself reads
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "capital",
        "strict": True,
        "schema": {"type": "object", "properties": {"capital": {"type": "string"}}, "required": ["capital"]},
    },
}


def sdk(gateway: Gateway, key: str) -> OpenRouter:
    """The SDK as a user makes it, but without retries: it would repeat a 5xx for an hour."""
    return OpenRouter(api_key=key, server_url=f"{gateway.url}/api/v1", retry_config=None, timeout_ms=60_000)


@pytest.fixture
def client(gateway: Gateway, upstream: MockServer) -> Iterator[OpenRouter]:
    with sdk(gateway, API_KEY) as client:
        yield client


@pytest.fixture
def manager(gateway: Gateway) -> Iterator[OpenRouter]:
    with sdk(gateway, MANAGEMENT_KEY) as client:
        yield client


def ask(client: OpenRouter, **fields: Any) -> Any:
    """A chat completion, of `acme/echo-1` unless the fields say otherwise."""
    return client.chat.send(**{"model": "acme/echo-1", "messages": QUESTION, "retries": None, **fields})


def test_the_list_of_models_parses_and_holds_every_configured_one(client: OpenRouter) -> None:
    listed = client.models.list()
    assert listed is not None
    models = {model.id: model for model in listed.result.data}
    assert {"acme/echo-1", "acme/golden", "pair/m0"} <= models.keys()
    assert models["acme/echo-1"].pricing.prompt == "0.000001"
    assert listed.result.total_count >= len(models)


def test_a_model_its_endpoints_the_providers_and_the_count(client: OpenRouter) -> None:
    model = client.models.get(author="acme", slug="echo-1").data
    assert (model.id, model.context_length) == ("acme/echo-1", 128000)
    endpoints = client.endpoints.list(author="pair", slug="m0").data.endpoints
    assert [endpoint.provider_name for endpoint in endpoints] == ["Acme", "Beta"]
    assert {"acme", "beta"} <= {provider.slug for provider in client.providers.list().data}
    assert client.models.count().data.count > 60


def test_the_models_of_a_user_are_those_that_can_be_called(client: OpenRouter) -> None:
    listed = client.models.list_for_user(security=ListModelsUserSecurity(bearer=API_KEY))
    assert listed is not None
    authors = {model.id.partition("/")[0] for model in listed.result.data}
    assert {"acme", "pair"} <= authors
    assert "openai" not in authors


def test_a_chat_completion(client: OpenRouter) -> None:
    answer = ask(client, temperature=0.5, max_tokens=20)
    assert answer.choices[0].message.content == "What is the capital of France?"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.cost == pytest.approx(6 * 1e-6 + 6 * 2e-6)


def test_a_stream_says_the_same_and_ends_with_the_usage(client: OpenRouter) -> None:
    with ask(client, stream=True) as events:
        chunks = list(events)
    said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert said == "What is the capital of France?"
    assert [chunk.usage.cost for chunk in chunks if chunk.usage] == [pytest.approx(18e-6)]
    assert chunks[-1].usage is not None


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_loop(client: OpenRouter, upstream: MockServer, streamed: bool) -> None:
    upstream.use(
        Rule(match=Match(contains="weather"), answer=Answer(tool_calls=(ToolCall(name="weather", arguments={"city": "Paris"}),))),
        Rule(match=Match(contains="sunny"), answer=Answer(text="It is sunny in Paris.")),
    )
    messages: list[Any] = [{"role": "user", "content": "How is the weather in Paris?"}]
    asked = ask(client, messages=messages, tools=[WEATHER], stream=streamed)
    if streamed:
        pieces = [call for chunk in asked for choice in chunk.choices for call in choice.delta.tool_calls or []]
        made_id = pieces[0].id
        arguments = "".join(piece.function.arguments or "" for piece in pieces)
    else:
        assert asked.choices[0].finish_reason == "tool_calls"
        [made] = asked.choices[0].message.tool_calls
        made_id, arguments = made.id, made.function.arguments
    assert arguments == '{"city":"Paris"}'
    function = {"name": "weather", "arguments": arguments}
    messages += [
        {"role": "assistant", "content": None, "tool_calls": [{"id": made_id, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": made_id, "content": "sunny"},
    ]
    answer = ask(client, messages=messages, tools=[WEATHER])
    assert answer.choices[0].message.content == "It is sunny in Paris."
    sent = upstream.seen()[-1].json()["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]  # type: ignore[index, attr-defined]


def test_a_structured_answer(client: OpenRouter) -> None:
    answer = ask(client, response_format=SCHEMA)
    assert '"capital"' in answer.choices[0].message.content


def test_the_next_model_of_the_list_answers_when_the_first_fails(client: OpenRouter, upstream: MockServer) -> None:
    upstream.use(Rule(match=Match(model="hasty"), fault=Fault(kind="status", status=500)))
    answer = ask(client, model="acme/hasty", models=["acme/hasty", "acme/free"])
    assert answer.model == "acme/free"
    assert answer.usage.cost == 0


def test_provider_preferences_decide_who_is_asked(client: OpenRouter, upstream: MockServer, pairs: Iterator[int]) -> None:
    number = next(pairs)
    answer = ask(client, model=f"pair/m{number}", provider={"order": ["beta"], "allow_fallbacks": False})
    assert answer.usage.cost_details.upstream_inference_prompt_cost == pytest.approx(6 * 4e-6)
    assert [seen.model for seen in upstream.seen()] == [f"second-{number}"]
    with pytest.raises(errors.NotFoundResponseError, match="constraints"):
        ask(client, model=f"pair/m{number}", provider={"only": ["nowhere"]})


@pytest.mark.parametrize("streamed", [False, True])
def test_a_generation_can_be_looked_up_right_after_the_reply(client: OpenRouter, streamed: bool) -> None:
    answer = ask(client, stream=streamed)
    if streamed:
        chunks = list(answer)
        identifier, cost = chunks[0].id, chunks[-1].usage.cost
    else:
        identifier, cost = answer.id, answer.usage.cost
    found = client.generations.get_generation(id=identifier).data
    assert (found.id, found.model, found.provider_name) == (identifier, "acme/echo-1", "Acme")
    assert (found.total_cost, found.streamed, found.finish_reason) == (pytest.approx(cost), streamed, "stop")


def test_the_life_of_a_key(gateway: Gateway, manager: OpenRouter, upstream: MockServer) -> None:
    made = manager.api_keys.create(name="Ada", limit=1.5, limit_reset="daily")
    key_hash = made.data.hash
    assert manager.api_keys.get(hash=key_hash).data.limit_remaining == 1.5
    assert key_hash in {key.hash for key in manager.api_keys.list().data}
    with sdk(gateway, made.key) as client:
        cost = ask(client).usage.cost
        until(lambda: client.api_keys.get_current_key_metadata().data.usage == pytest.approx(cost))
        own = client.api_keys.get_current_key_metadata().data
        assert (own.limit, own.limit_reset) == (1.5, "daily")
        assert own.limit_remaining == pytest.approx(1.5 - cost)
        changed = manager.api_keys.update(hash=key_hash, name="Grace", disabled=True)
        assert (changed.data.name, changed.data.disabled) == ("Grace", True)
        with pytest.raises(errors.UnauthorizedResponseError, match="disabled"):
            ask(client)
        manager.api_keys.delete(hash=key_hash)
        with pytest.raises(errors.UnauthorizedResponseError, match="deleted"):
            ask(client)
    with pytest.raises(errors.NotFoundResponseError):
        manager.api_keys.get(hash=key_hash)


def test_credits_show_what_was_spent(client: OpenRouter, manager: OpenRouter) -> None:
    before = manager.credits.get_credits().data.total_usage
    cost = ask(client, model="acme/dear").usage.cost
    until(lambda: manager.credits.get_credits().data.total_usage == pytest.approx(before + cost))


def test_an_unknown_key_is_unauthorized(gateway: Gateway) -> None:
    with sdk(gateway, "sk-or-v1-" + "0" * 64) as client, pytest.raises(errors.UnauthorizedResponseError) as raised:
        ask(client)
    assert raised.value.data.error.code == 401


def test_an_inference_key_manages_nothing_and_a_management_key_calls_nothing(client: OpenRouter, manager: OpenRouter) -> None:
    with pytest.raises(errors.OpenRouterDefaultError, match="management keys") as raised:  # the SDK has no type for this 403
        client.api_keys.list()
    assert raised.value.status_code == 403
    with pytest.raises(errors.ForbiddenResponseError, match="cannot call models"):
        ask(manager)


def test_a_key_with_nothing_left_has_to_pay(gateway: Gateway, manager: OpenRouter, upstream: MockServer) -> None:
    with sdk(gateway, manager.api_keys.create(name="tiny", limit=0.000001).key) as client:
        ask(client, model="acme/dear")
        for model in ("acme/dear", "acme/free"):
            with pytest.raises(errors.PaymentRequiredResponseError) as raised:
                ask(client, model=model)
            assert raised.value.data.error.code == 402
    assert len(upstream.seen()) == 1


def test_wrong_requests_raise_the_error_of_their_status(client: OpenRouter) -> None:
    with pytest.raises(errors.BadRequestResponseError, match="acme/nothing is not a valid model ID"):
        ask(client, model="acme/nothing")
    with pytest.raises(errors.BadRequestResponseError, match="max_tokens"):
        ask(client, max_tokens=-1)
    with pytest.raises(errors.NotFoundResponseError, match="OPENAI_API_KEY"):
        ask(client, model="openai/gpt-5.2")
    with pytest.raises(errors.NotFoundResponseError):
        client.models.get(author="acme", slug="nothing")
    with pytest.raises(errors.NotFoundResponseError):
        client.generations.get_generation(id="gen-1795406671-0352N7v97ssaFfGBuNEaDu")


def test_a_rate_limit_upstream_comes_with_the_time_to_wait(client: OpenRouter, upstream: MockServer) -> None:
    upstream.use(Rule(fault=Fault(kind="status", status=429, retry_after=7)))
    with pytest.raises(errors.TooManyRequestsResponseError) as raised:
        ask(client)
    assert raised.value.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (500, errors.ServiceUnavailableResponseError),
        (503, errors.ServiceUnavailableResponseError),
        (401, errors.BadGatewayResponseError),
        (402, errors.BadGatewayResponseError),
        (400, errors.BadRequestResponseError),
    ],
)
def test_what_an_upstream_refuses_is_raised_by_its_meaning(
    client: OpenRouter, upstream: MockServer, status: int, raised: type[Exception]
) -> None:
    upstream.use(Rule(fault=Fault(kind="status", status=status)))
    with pytest.raises(raised):
        ask(client)


def test_a_failure_in_mid_stream_is_an_error_chunk(client: OpenRouter, upstream: MockServer) -> None:
    upstream.use(Rule(answer=Answer(events=5), pace=Pace(event_ms=20), fault=Fault(kind="drop", events=2)))
    with ask(client, stream=True) as events:
        chunks = list(events)
    assert chunks[-1].error is not None
    assert chunks[-1].choices[0].finish_reason == "error"
    assert "stop" not in {choice.finish_reason for chunk in chunks for choice in chunk.choices}
