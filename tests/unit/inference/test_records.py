"""What an exchange leaves behind."""

import time

from pipelines import USER, served

from trunkline.dialects.chat.request import ChatRequest, parse
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.records import UNSEEN, evidence_of, record_of
from trunkline.inference.skins import CHAT
from trunkline.limits.account import Hold
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.routing import Plan
from trunkline.protocol.usage import Cost, Usage


def recorded(
    headers: dict[bytes, bytes], request: ChatRequest | None = None, usage: Usage | None = None, error: str | None = None
) -> GenerationRecord:
    endpoint = served("one")
    exchange = Exchange(Call(headers, b"", Mint(), CHAT), USER, request or ChatRequest(fields={}), Plan((endpoint,)), Hold(), 1)
    exchange.sent_at = time.monotonic() - 1
    exchange.first_content_at = exchange.call.started + 0.25
    return record_of(
        exchange,
        endpoint,
        UNSEEN,
        usage or Usage(),
        Cost(5),
        discount=None,
        cancelled=False,
        status=200,
        error_type=error,
        tool_calls=0,
    )


def test_times_are_milliseconds() -> None:
    record = recorded({})
    assert record.latency_ms == 250
    assert record.generation_ms is not None
    assert 1000 <= record.generation_ms < 2000


def test_who_asked_comes_from_the_headers() -> None:
    headers = {b"http-referer": b"https://app.test", b"x-title": b"App", b"user-agent": b"curl", b"origin": b"o", b"x-session-id": b"s"}
    record = recorded(headers)
    assert (record.app_referer, record.app_title, record.user_agent, record.origin) == ("https://app.test", "App", "curl", "o")
    assert record.session_id == "s"
    assert recorded({b"x-title": b"old", b"x-openrouter-title": b"new"}).app_title == "new"


def test_the_body_wins_over_the_header_of_a_session() -> None:
    assert recorded({b"x-session-id": b"s"}, ChatRequest(fields={}, session_id="body", user="u")).session_id == "body"


def test_cache_writes_of_both_lifetimes_add_up() -> None:
    assert recorded({}, usage=Usage(cache_write_5m=1, cache_write_1h=2)).cache_write_tokens == 3
    assert recorded({}, usage=Usage(cache_write_5m=1)).cache_write_tokens == 1
    assert recorded({}, usage=Usage(cache_write_1h=2)).cache_write_tokens == 2
    assert recorded({}).cache_write_tokens is None


def test_an_error_is_the_finish_reason() -> None:
    assert recorded({}, error="timeout").finish_reason == "error"
    assert recorded({}).finish_reason is None


def test_without_tools_or_calls_there_is_nothing_to_judge() -> None:
    body = b'{"model":"a/m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}]}'
    exchange = Exchange(Call({}, body, Mint(), CHAT), USER, parse(body), Plan(()), Hold(), 1)
    assert evidence_of(exchange, UNSEEN) is None
