import pytest

from trunkline.dialects.hub.events import Failure, Finish
from trunkline.dialects.responses.verdict import tier_of, usage_of, verdict


@pytest.mark.parametrize(
    ("kind", "response", "called", "finish"),
    [
        ("response.completed", {"status": "completed"}, False, Finish("stop", "completed")),
        ("response.completed", {"status": "completed"}, True, Finish("tool_calls", "completed")),
        ("response.completed", {}, False, Finish("stop", "completed")),
        ("response.completed", {"status": "complete"}, False, Finish("stop", "completed")),
        ("response.completed", {"status": "in_progress", "output": [1]}, False, Finish("stop", "completed")),
        ("response.completed", {"status": "incomplete"}, False, Finish("length", "incomplete")),
        ("response.incomplete", {}, True, Finish("length", "incomplete")),
        ("response.incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, True, Finish("length", "max_output_tokens")),
        ("response.incomplete", {"incomplete_details": {"reason": "content_filter"}}, False, Finish("content_filter", "content_filter")),
        ("response.incomplete", {"incomplete_details": "odd"}, False, Finish("length", "incomplete")),
    ],
)
def test_an_end_has_its_reason(kind: str, response: dict[str, object], called: bool, finish: Finish) -> None:
    assert verdict(kind, response, called=called) == finish


@pytest.mark.parametrize(
    ("kind", "response", "failure"),
    [
        ("response.failed", {"error": {"code": "rate_limit_exceeded", "message": "slow down"}}, "rate_limit"),
        ("response.failed", {"error": {"code": "server_error", "message": "oops"}}, "server"),
        ("response.failed", {"error": {"code": "invalid_prompt", "message": "flagged"}}, "moderation"),
        ("response.failed", {"error": None}, "server"),
        ("response.completed", {"status": "failed", "error": {"code": "context_length_exceeded"}}, "context_length"),
        ("response.cancelled", {}, "server"),
        ("response.completed", {"status": "queued", "output": []}, "malformed"),
    ],
)
def test_a_failure_has_its_class(kind: str, response: dict[str, object], failure: str) -> None:
    found = verdict(kind, response, called=False)
    assert isinstance(found, Failure)
    assert found.error.kind == failure
    assert found.error.message


def test_searches_are_counted_beside_the_tokens() -> None:
    search = {"type": "web_search_call", "action": {"type": "search"}}
    opened = {"type": "web_search_call", "action": {"type": "open_page"}}
    tokens = {"input_tokens": 1}
    counted = {"input_tokens": 1, "server_tool_use_details": {"web_search_requests": 2}}
    assert usage_of({"usage": tokens, "output": [search, opened, search, "odd"]}) == counted
    assert usage_of({"usage": tokens, "output": [search], "tool_usage": {"web_search": {"num_requests": 2}}}) == counted
    assert usage_of({"usage": tokens, "output": [search], "tool_usage": {"web_search": {"num_requests": 0}}}) == tokens
    assert usage_of({"usage": counted, "output": [search]}) == counted
    assert usage_of({"usage": tokens}) == tokens
    assert usage_of({"usage": None}) is None


def test_a_tier_is_a_name() -> None:
    assert tier_of({"service_tier": "flex"}) == "flex"
    assert tier_of({"service_tier": "auto"}) == "default"
    assert tier_of({"service_tier": ""}) is None
    assert tier_of({"service_tier": 3}) is None
