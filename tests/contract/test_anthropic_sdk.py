"""The `anthropic` package against a running gateway, over models that are served in every upstream dialect.

As Anthropic's clients do it: the base URL is the gateway's `/api`, the key goes as `x-api-key`.
"""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from anthropic.lib.streaming import ParsedMessageStreamEvent
from gateway import API_KEY, Gateway
from polyglot import CITY, DIALECTS, LOOP, QUESTION, SUNNY, THOUGHT, came_back, name_of

from trunkline.mock.script import Answer, Fault, Pace, Rule, Tokens
from trunkline.mock.thread import MockServer

TOOL: Any = {"name": "weather", "description": "The weather of a city", "input_schema": CITY}
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
ASKED: Any = {"role": "user", "content": QUESTION}


def sdk(gateway: Gateway, key: str = API_KEY) -> Anthropic:
    """The client as a user makes it, but without retries."""
    return Anthropic(api_key=key, base_url=f"{gateway.url}/api", max_retries=0, timeout=60)


@pytest.fixture
def client(speaker: Gateway, upstream: MockServer) -> Iterator[Anthropic]:
    with sdk(speaker) as client:
        yield client


def ask(client: Anthropic, dialect: str, **fields: Any) -> Any:
    return client.messages.create(**{"model": name_of(dialect), "max_tokens": 4096, "messages": [ASKED], **fields})


def gather(client: Anthropic, dialect: str, **fields: Any) -> tuple[Any, list[ParsedMessageStreamEvent]]:
    """The message of a stream as the SDK puts it together, and its events."""
    with client.messages.stream(**{"model": name_of(dialect), "max_tokens": 4096, "messages": [ASKED], **fields}) as stream:
        events = list(stream)
        return stream.get_final_message(), events


@pytest.mark.parametrize("dialect", DIALECTS)
class TestEveryDialect:
    def test_a_message(self, client: Anthropic, upstream: MockServer, dialect: str) -> None:
        upstream.use(Rule(answer=Answer(text="Fine.", tokens=Tokens(prompt=100, completion=20, cached=30))))
        message = ask(client, dialect, system="Be brief.", extra_body={"temperature": 0.5})
        [block] = message.content
        assert (block.type, block.text, message.stop_reason) == ("text", "Fine.", "end_turn")
        assert message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0) == 100
        assert (message.usage.output_tokens, message.role, message.model) == (20, "assistant", name_of(dialect))
        assert message.id.startswith("gen-")

    def test_a_stream_says_the_same(self, client: Anthropic, dialect: str) -> None:
        message, events = gather(client, dialect)
        assert "".join(event.text for event in events if event.type == "text") == QUESTION
        assert [block.text for block in message.content] == [QUESTION]
        assert (message.stop_reason, message.usage.output_tokens > 0) == ("end_turn", True)

    @pytest.mark.parametrize("streamed", [False, True])
    def test_a_tool_loop_with_its_thinking(self, client: Anthropic, upstream: MockServer, dialect: str, streamed: bool) -> None:
        upstream.use(*LOOP)
        fields: Any = {"tools": [TOOL], "thinking": THINKING}
        message = gather(client, dialect, **fields)[0] if streamed else ask(client, dialect, **fields)
        assert message.stop_reason == "tool_use"
        assert [block.thinking for block in message.content if block.type == "thinking" and block.thinking] == [THOUGHT]
        [call] = [block for block in message.content if block.type == "tool_use"]
        assert (call.name, call.input) == ("weather", {"city": "Paris"})
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
        history = [ASKED, {"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
        again = ask(client, dialect, messages=history, **fields)
        assert [block.text for block in again.content if block.type == "text"] == [SUNNY]
        assert came_back(upstream, dialect)

    def test_a_forced_call(self, client: Anthropic, dialect: str) -> None:
        message, events = gather(client, dialect, tools=[TOOL], tool_choice={"type": "tool", "name": "weather"})
        [call] = [block for block in message.content if block.type == "tool_use"]
        assert call.input.keys() == {"city"}
        assert json.loads("".join(event.partial_json for event in events if event.type == "input_json")) == call.input

    @pytest.mark.parametrize("streamed", [False, True])
    def test_a_structured_answer(self, client: Anthropic, dialect: str, streamed: bool) -> None:
        fields: Any = {"output_config": {"format": {"type": "json_schema", "schema": CITY}}}
        message = gather(client, dialect, **fields)[0] if streamed else ask(client, dialect, **fields)
        [block] = message.content
        assert (json.loads(block.text).keys(), message.stop_reason) == ({"city"}, "end_turn")

    def test_a_short_answer_ends_with_max_tokens(self, client: Anthropic, upstream: MockServer, dialect: str) -> None:
        upstream.use(Rule(answer=Answer(text="It is", finish_reason="length")))
        assert ask(client, dialect).stop_reason == "max_tokens"

    @pytest.mark.parametrize(
        ("status", "raised", "kind"),
        [
            (429, anthropic.RateLimitError, "rate_limit_error"),
            (500, anthropic.InternalServerError, None),
            (400, anthropic.BadRequestError, "invalid_request_error"),
        ],
    )
    def test_what_the_upstream_refuses_is_raised(
        self,
        client: Anthropic,
        upstream: MockServer,
        dialect: str,
        status: int,
        raised: type[anthropic.APIStatusError],
        kind: str | None,
    ) -> None:
        upstream.use(Rule(fault=Fault(kind="status", status=status)))
        with pytest.raises(raised) as caught:
            ask(client, dialect)
        body: Any = caught.value.body
        assert body["type"] == "error"
        assert kind in (None, body["error"]["type"])
        assert "request_id" in body

    def test_a_failure_in_mid_stream_is_raised_after_the_partial_text(self, client: Anthropic, upstream: MockServer, dialect: str) -> None:
        upstream.use(Rule(answer=Answer(events=5), pace=Pace(event_ms=20), fault=Fault(kind="drop", events=2)))
        said = ""
        with client.messages.stream(model=name_of(dialect), max_tokens=100, messages=[ASKED]) as stream, pytest.raises(anthropic.APIError):
            for event in stream:
                said += event.text if event.type == "text" else ""
        assert said.startswith("w0 ")


def test_the_key_may_be_a_bearer_token(speaker: Gateway, upstream: MockServer) -> None:
    with Anthropic(auth_token=API_KEY, base_url=f"{speaker.url}/api", max_retries=0) as client:
        assert ask(client, "messages").stop_reason == "end_turn"


def test_a_wrong_key_and_a_wrong_request(speaker: Gateway, client: Anthropic) -> None:
    with sdk(speaker, "sk-or-v1-" + "0" * 64) as stranger, pytest.raises(anthropic.AuthenticationError) as caught:
        ask(stranger, "messages")
    assert caught.value.body["error"]["type"] == "authentication_error"  # type: ignore[index, call-overload]
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        ask(client, "chat", max_tokens=-1)
    with pytest.raises(anthropic.BadRequestError, match="not a valid model"):
        client.messages.create(model="poly/nothing", max_tokens=10, messages=[ASKED])
