"""Response caching through the whole pipeline (contract 1.6, 1.7, 4.5, 9.3)."""

from typing import Any

import grammar_messages
import grammar_responses
import pytest
from grammar_chat import ChatGrammar
from pipelines import answer, stream, words
from staged_bench import PluginBench

from trunkline.errors import UpstreamRefused
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, TEXT

ON = {"X-OpenRouter-Cache": "true"}
BODY = {"model": "a/m", "messages": [{"role": "user", "content": "hi"}]}


def header(outcome: Any, name: str) -> str | None:
    value = outcome.headers.get(f"x-openrouter-cache-{name}".encode())
    return None if value is None else value.decode()


def test_the_example_of_the_documentation() -> None:
    bench = PluginBench(answer("Paris."))
    first = bench.request(BODY, ON)
    assert (header(first, "status"), header(first, "ttl"), header(first, "age")) == ("MISS", "300", None)
    bench.now += 12
    second = bench.request(BODY, ON)
    assert (header(second, "status"), header(second, "age"), header(second, "ttl")) == ("HIT", "12", "288")
    assert header(second, "source-id") == first.id
    assert second.json["id"] == second.id != first.id
    assert second.json["choices"] == first.json["choices"]
    assert second.json["usage"]["prompt_tokens"] == second.json["usage"]["cost"] == second.json["usage"]["total_tokens"] == 0
    assert list(second.json) == list(first.json)
    record = bench.ledgers.records[1]
    assert (record.cost, record.input_tokens, record.output_tokens, record.response_cache_source_id) == (0, 0, 0, first.id)
    assert record.provider_name == bench.ledgers.records[0].provider_name
    assert bench.ledgers.settled == [bench.ledgers.records[0].cost]
    assert len(bench.client.sent) == 1


@pytest.mark.parametrize("headers", [{}, {"X-OpenRouter-Cache": "false"}, {"X-OpenRouter-Cache": "yes"}, {"X-OpenRouter-Cache-TTL": "60"}])
def test_nothing_is_kept_that_was_not_asked_for(headers: dict[str, str]) -> None:
    bench = PluginBench(answer(), answer())
    assert header(bench.request(BODY, headers), "status") is None
    assert header(bench.request(BODY, ON), "status") == "MISS"


@pytest.mark.parametrize(
    ("value", "seconds"), [("60abc", "60"), ("1.5", "1"), ("0", "1"), ("999999", "86400"), ("abc", "300"), ("-5", "300")]
)
def test_the_time_to_live_of_the_documentation(value: str, seconds: str) -> None:
    bench = PluginBench(answer())
    assert header(bench.request(BODY, {**ON, "X-OpenRouter-Cache-TTL": value}), "ttl") == seconds


def test_an_answer_that_is_too_old_is_asked_for_again() -> None:
    bench = PluginBench(answer(), answer())
    bench.request(BODY, {**ON, "X-OpenRouter-Cache-TTL": "10"})
    bench.now += 9.9
    assert header(bench.request(BODY, ON), "ttl") == "1"
    bench.now += 0.1
    assert header(bench.request(BODY, ON), "status") == "MISS"


def test_clear_drops_what_lies_there_and_refills() -> None:
    bench = PluginBench(answer("old"), answer("new"))
    bench.request(BODY, ON)
    assert header(bench.request(BODY, {**ON, "X-OpenRouter-Cache-Clear": "true"}), "status") == "MISS"
    hit = bench.request(BODY, ON)
    assert header(hit, "status") == "HIT" and hit.json["choices"][0]["message"]["content"] == "new"


def test_clear_without_caching_clears_nothing() -> None:
    bench = PluginBench(answer("old"), answer("other"))
    bench.request(BODY, ON)
    bench.request(BODY, {"X-OpenRouter-Cache-Clear": "true"})
    assert header(bench.request(BODY, ON), "status") == "HIT"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{ "model" : "a/m",\n "messages":[{"role":"user", "content":"hi"}] }', "HIT"),
        (b'{"messages":[{"role":"user","content":"hi"}],"model":"a/m"}', "MISS"),
        (b'{"model":"a/m","messages":[{"content":"hi","role":"user"}]}', "MISS"),
        (b'{"model":"a/m","messages":[{"role":"user","content":"hi"}],"temperature":1}', "MISS"),
        (b'{"model":"a/m","messages":[{"role":"user","content":"h i"}]}', "MISS"),
    ],
)
def test_white_space_does_not_count_and_order_does(body: bytes, status: str) -> None:
    bench = PluginBench(answer(), answer())
    bench.request(BODY, ON)
    assert header(bench.request(body, {**ON, "X-Title": "Another app"}), "status") == status


def test_another_operation_does_not_find_it_and_some_keep_nothing() -> None:
    bench = PluginBench(answer(), answer(), answer())
    bench.request(BODY, ON)
    messages = {**BODY, "max_tokens": 10}
    assert header(bench.request(messages, ON, skin=MESSAGES), "status") == "MISS"
    assert header(bench.request({"model": "a/m", "prompt": "hi"}, ON, skin=TEXT), "status") is None


def test_failures_and_half_answers_are_not_kept() -> None:
    bench = PluginBench(UpstreamRefused("moderation", "no", status=400), answer())
    refused = bench.request(BODY, ON)
    assert refused.error is not None and refused.headers == {}
    assert header(bench.request(BODY, ON), "status") == "MISS"


def test_a_stream_that_breaks_off_is_not_kept() -> None:
    streaming = {**BODY, "stream": True}
    bench = PluginBench(stream(*words("Pa", "ris.")[:2]), stream(*words("Pa", "ris.")))
    bench.request(streaming, ON)
    assert header(bench.request(streaming, ON), "status") == "MISS"


def chat_text(data: bytes) -> str:
    grammar = ChatGrammar(passed=True)
    grammar.feed(data)
    grammar.end()
    return grammar.content


def responses_text(data: bytes) -> str:
    return "".join(part.text for item in grammar_responses.check(data).items for part in item.content)


def messages_text(data: bytes) -> str:
    grammar = grammar_messages.Grammar()
    grammar.feed(data)
    return "".join(block["text"] for block in grammar.close()["content"])


OPERATIONS = [
    (CHAT, BODY, chat_text),
    (RESPONSES, {"model": "a/m", "input": "hi"}, responses_text),
    (MESSAGES, {**BODY, "max_tokens": 100}, messages_text),
]


@pytest.mark.parametrize(("skin", "body", "read"), OPERATIONS)
def test_a_stream_is_replayed_as_a_legal_stream(skin: Any, body: dict[str, Any], read: Any) -> None:
    bench = PluginBench(stream(*words("Pa", "ris.")))
    first = bench.request({**body, "stream": True}, ON, skin=skin)
    second = bench.request({**body, "stream": True}, ON, skin=skin)
    assert (header(first, "status"), header(second, "status")) == ("MISS", "HIT")
    assert second.headers[b"content-type"] == first.headers[b"content-type"]
    assert read(first.body) == read(second.body) == "Paris."
    assert first.id.encode() not in second.body and second.id.encode() in second.body
    assert b'"cost":0,' in second.body or b'"cost":0}' in second.body
    assert not any(number in second.body for number in (b'"prompt_tokens":7', b'"input_tokens":7'))


@pytest.mark.parametrize(("skin", "body", "_read"), OPERATIONS)
def test_a_whole_answer_is_replayed_in_every_dialect(skin: Any, body: dict[str, Any], _read: Any) -> None:
    bench = PluginBench(answer("Paris."))
    first, second = bench.request(body, ON, skin=skin).json, bench.request(body, ON, skin=skin).json
    changed = {name for name in first if first[name] != second[name]}
    assert {"id", "usage"} <= changed <= {"id", "usage", "created", "created_at", "completed_at"}
    assert set(numbers(second["usage"])) == {0}


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [found for inner in value.values() for found in numbers(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_a_stream_and_a_whole_answer_are_kept_apart() -> None:
    bench = PluginBench(answer(), stream(*words("x")))
    bench.request(BODY, ON)
    assert header(bench.request({**BODY, "stream": True}, ON), "status") == "MISS"


def test_a_request_that_is_not_accepted_finds_nothing_either() -> None:
    bench = PluginBench(answer())
    bench.request(BODY, ON)
    outcome = bench.request(BODY, ON, authorization="Bearer bad")
    assert outcome.error is not None and outcome.error.status == 401
