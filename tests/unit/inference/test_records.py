"""What an exchange leaves behind."""

import time
from typing import Any

import msgspec
import pytest
from pipelines import USER, served

from trunkline.dialects.chat.request import ChatRequest, parse
from trunkline.dialects.responses.reply import SeenCall
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.overheard import Told
from trunkline.inference.records import UNSEEN, evidence_of, record_of
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, Skin
from trunkline.limits.account import Hold
from trunkline.metering.structured import FormEvidence, FormJudge
from trunkline.metering.tool_calls import ToolEvidence
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


class Heard(Told):
    """An answer in words, as far as it is judged by them."""

    usage = upstream_id = service_tier = error = native_finish_reason = None
    output_chars = size = 2
    tool_calls: tuple[SeenCall, ...] = ()

    def __init__(self, finish_reason: str | None = "stop") -> None:
        self.finish_reason = finish_reason

    def text(self) -> str:
        return "{}"


def asked(skin: Skin, **fields: Any) -> Exchange:
    words: dict[str, Any] = {"input": "x"} if skin is RESPONSES else {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9}
    body = msgspec.json.encode({"model": "a/m", **words, **fields})
    return Exchange(Call({}, body, Mint(), skin), USER, skin.parse(body), Plan(()), Hold(), 1)


SCHEMA: dict[str, Any] = {"type": "json_schema", "schema": {"type": "object"}}
FORM: dict[str, Any] = {"response_format": {"type": "json_object"}}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("skin", "fields"),
    [
        (CHAT, FORM),
        (CHAT, {"response_format": {"type": "json_schema", "json_schema": {"name": "n", **SCHEMA}}}),
        (CHAT, {**FORM, "tools": TOOLS}),
        (RESPONSES, {"text": {"format": {"name": "n", **SCHEMA}, "verbosity": "low"}}),
        (MESSAGES, {"output_config": {"format": SCHEMA, "effort": "low"}}),
    ],
)
def test_a_text_is_evidence_of_the_form_that_was_asked_for(skin: Skin, fields: dict[str, Any]) -> None:
    evidence = evidence_of(asked(skin, **fields), Heard())
    assert isinstance(evidence, FormEvidence)
    assert (evidence.text(), evidence.size) == ("{}", 2)
    assert FormJudge().is_invalid(evidence) is False


@pytest.mark.parametrize(
    ("skin", "fields"),
    [
        (CHAT, {}),
        (CHAT, {"response_format": {"type": "text"}}),
        (CHAT, {"response_format": None}),
        (CHAT, {**FORM, "stop": ["}"]}),
        (RESPONSES, {"text": {"format": {"type": "text"}}}),
        (MESSAGES, {"output_config": {"effort": "low"}}),
    ],
)
def test_without_a_form_or_with_stop_sequences_no_text_is_judged(skin: Skin, fields: dict[str, Any]) -> None:
    assert evidence_of(asked(skin, **fields), Heard()) is None


@pytest.mark.parametrize("finish_reason", [None, "length", "content_filter", "tool_calls"])
def test_an_unfinished_text_is_not_judged(finish_reason: str | None) -> None:
    assert evidence_of(asked(CHAT, **FORM), Heard(finish_reason)) is None


def test_an_answer_of_which_nothing_was_heard_is_not_judged() -> None:
    assert evidence_of(asked(CHAT, **FORM), UNSEEN) is None


def test_calls_are_judged_rather_than_the_text_beside_them() -> None:
    answer = Heard()
    answer.tool_calls = (SeenCall("f", "{}"),)
    evidence = evidence_of(asked(CHAT, tools=TOOLS, **FORM), answer)
    assert isinstance(evidence, ToolEvidence)
    assert evidence.calls == (("f", "{}"),)
    assert evidence_of(asked(CHAT, **FORM), answer) is None
