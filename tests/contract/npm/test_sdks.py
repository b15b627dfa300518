"""The npm SDKs, each unchanged, over models that are served in every upstream dialect: chat, streams, tool loops with reasoning sent back,
structured output and errors. What is expected is the same for all dialects, but for the model's name."""

from typing import Any

import pytest
from polyglot import DIALECTS, SUNNY, THOUGHT, name_of

PLACE = {"city": "mock"}
"""The mock's answer where a schema asks for a city."""
CALLED = {"called": [{"city": "Paris"}], "text": SUNNY}
CHAT_LOOP = {"name": "weather", "arguments": {"city": "Paris"}, "text": SUNNY}
MESSAGE_LOOP = {"name": "weather", "input": {"city": "Paris"}, "stop": "tool_use", "thoughts": [THOUGHT], "text": SUNNY}
STEPS = {**CALLED, "steps": ["tool-calls", "stop"]}
FINE = {"text": "Fine.", "finish": "stop", "tokens": [100, 20], "id": "gen-"}
ECHOED = {"text": "one two three", "finish": ["stop"]}
RESPONSES = {
    "response": {"text": "Fine.", "status": "completed", "tokens": [100, 20]},
    "response_streamed": {"text": "one two three", "last": "response.completed"},
}


def openai(name: str, status: int) -> dict[str, Any]:
    return {"name": name, "status": status, "code": status, "api": True}


def anthropic(name: str, status: int, kind: str) -> dict[str, Any]:
    return {"name": name, "status": status, "type": kind, "api": True}


def raised(name: str, status: int) -> dict[str, Any]:
    return {"name": name, "status": status, "api": True}


OPENAI: dict[str, Any] = {
    "chat": {**FINE, "cost": 0.00014},
    "stream": ECHOED,
    "helper": ECHOED,
    "loop": CHAT_LOOP,
    "loop_streamed": CHAT_LOOP,
    "runner": CALLED,
    "runner_streamed": CALLED,
    "structured": PLACE,
    "structured_streamed": PLACE,
    "short": "length",
    **RESPONSES,
    "response_loop": CHAT_LOOP,
    "response_loop_streamed": CHAT_LOOP,
    "response_structured": PLACE,
    "refused_429": openai("RateLimitError", 429),
    "refused_400": openai("BadRequestError", 400),
    "refused_500": openai("InternalServerError", 503),
    "response_refused_429": openai("RateLimitError", 429),
    "broken": {"text": "w0 w1 ", "error": {"name": "APIError", "code": 502, "api": True}},
    "stranger": openai("AuthenticationError", 401),
    "nowhere": openai("BadRequestError", 400),
    "models": 1,
}
ANTHROPIC: dict[str, Any] = {
    "message": {"text": "Fine.", "stop": "end_turn", "tokens": [100, 20], "id": "gen-"},
    "stream": {"said": "one two three", "text": "one two three", "stop": "end_turn"},
    "events": ["message_start", "message_stop"],
    "beta": "one two three",
    "beta_stream": "one two three",
    "loop": MESSAGE_LOOP,
    "loop_streamed": MESSAGE_LOOP,
    "beta_loop": MESSAGE_LOOP,
    "runner": CALLED,
    "runner_streamed": CALLED,
    "thread": {"name": "ThreadUnsupportedRequestError", "status": 400, "type": "invalid_request_error", "api": True},
    "forced": ["city"],
    "structured": PLACE,
    "structured_streamed": PLACE,
    "short": "max_tokens",
    "count": True,
    "refused_429": anthropic("RateLimitError", 429, "rate_limit_error"),
    "refused_400": anthropic("BadRequestError", 400, "invalid_request_error"),
    "refused_500": anthropic("ServiceUnavailableError", 503, "overloaded_error"),
    "refused_stream": anthropic("RateLimitError", 429, "rate_limit_error"),
    "broken": {"said": "w0 w1 ", "error": {"name": "APIError", "status": None, "type": "api_error", "api": True}},
    "bearer": "one two three",
    "stranger": anthropic("AuthenticationError", 401, "authentication_error"),
    "nowhere": anthropic("BadRequestError", 400, "invalid_request_error"),
    "models": 1,
}
OPENROUTER: dict[str, Any] = {
    "chat": FINE,
    "stream": ECHOED,
    "loop": CHAT_LOOP,
    "loop_streamed": CHAT_LOOP,
    "agent": CALLED,
    "agent_streamed": CALLED,
    "structured": PLACE,
    "structured_streamed": PLACE,
    "short": "length",
    **RESPONSES,
    "refused_429": raised("TooManyRequestsResponseError", 429),
    "refused_400": raised("BadRequestResponseError", 400),
    "refused_500": raised("ServiceUnavailableResponseError", 503),
    "response_refused_429": raised("TooManyRequestsResponseError", 429),
    "broken": {"text": "w0 w1 ", "finish": ["error"], "code": 502},
    "stranger": raised("UnauthorizedResponseError", 401),
    "nowhere": raised("BadRequestResponseError", 400),
    "models": 1,
}
AI: dict[str, Any] = {
    "text": FINE,
    "stream": {"text": "one two three", "finish": "stop"},
    "loop": STEPS,
    "loop_streamed": STEPS,
    "reasoning": THOUGHT,
    "structured": PLACE,
    "structured_streamed": PLACE,
    "short": "length",
    "refused_429": raised("AI_APICallError", 429),
    "refused_400": raised("AI_APICallError", 400),
    "refused_500": raised("AI_APICallError", 503),
    "refused_stream": [raised("AI_APICallError", 429)],
    "broken": {"text": "w0 w1 ", "errors": 1, "finish": "error"},
    "stranger": raised("AI_APICallError", 401),
    "nowhere": raised("AI_APICallError", 400),
}
SDKS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "openai.mjs": (OPENAI, {"loop", "loop_streamed", "response_loop", "response_loop_streamed"}),
    "anthropic.mjs": (ANTHROPIC, {"loop", "loop_streamed", "beta_loop", "runner", "runner_streamed"}),
    "openrouter.mjs": (OPENROUTER, {"loop", "loop_streamed", "agent", "agent_streamed"}),
    "ai.mjs": (AI, {"loop", "loop_streamed"}),
}
"""What each script prints, and the loops of it that send the reasoning back."""


@pytest.fixture(scope="module", params=SDKS)
def played(request: pytest.FixtureRequest, play: Any) -> tuple[str, Any]:
    """A script and what became of it."""
    return request.param, play(request.param)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_case_over_a_dialect(played: tuple[str, Any], dialect: str) -> None:
    script, done = played
    expected, replaying = SDKS[script]
    found = done.results[dialect]
    first, *_ = found
    assert found == {**expected, first: {**expected[first], "model": name_of(dialect)}}
    assert done.replayed[dialect] == replaying
    assert ("context-1m-2025-08-07" in done.betas[dialect]) == (script == "anthropic.mjs" and dialect == "messages")
