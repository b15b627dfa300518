"""Healing and compression through the whole pipeline (contract 4.2, 9.3)."""

from typing import Any

import pytest
from pipelines import answer, served, stream, words
from staged_bench import PluginBench

from trunkline.errors import UpstreamRefused
from trunkline.inference.skins import MESSAGES, RESPONSES
from trunkline.protocol.quirks import Quirks

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name", "age"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}
HEAL = [{"id": "response-healing"}]
COMPRESS = [{"id": "context-compression"}]


def talk(count: int, size: int = 400) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[place % 2], "content": f"{place} ".ljust(size, "x")} for place in range(count)]


def content(outcome: Any) -> str:
    assert outcome.error is None, outcome.error
    text: str = outcome.json["choices"][0]["message"]["content"]
    return text


@pytest.mark.parametrize("form", [FORMAT, {"type": "json_object"}])
def test_json_is_mended_and_usage_stays_what_it_was(form: Any) -> None:
    bench = PluginBench(answer('{"name": "Alice", "age": 30'))
    outcome = bench.ask(response_format=form, plugins=HEAL)
    assert content(outcome) == '{"name":"Alice","age":30}'
    assert outcome.json["usage"]["completion_tokens"] == 3
    assert bench.sent[0]["response_format"] == form and "plugins" not in bench.sent[0]


@pytest.mark.parametrize(
    "fields",
    [
        {"plugins": HEAL},
        {"plugins": HEAL, "response_format": {"type": "text"}},
        {"plugins": [{"id": "response-healing", "enabled": False}], "response_format": FORMAT},
        {"response_format": FORMAT},
    ],
)
def test_nothing_is_mended_that_was_not_to_be(fields: dict[str, Any]) -> None:
    assert content(PluginBench(answer('{"name": "Alice"')).ask(**fields)) == '{"name": "Alice"'


def test_a_stream_is_not_mended() -> None:
    outcome = PluginBench(stream(*words('{"name": ', '"A"'))).ask(response_format=FORMAT, plugins=HEAL, stream=True)
    assert outcome.text == '{"name": "A"'


def test_a_cut_answer_is_not_mended() -> None:
    outcome = PluginBench(answer('{"name": "A", "age": 3', finish_reason="length")).ask(response_format=FORMAT, plugins=HEAL)
    assert content(outcome) == '{"name": "A", "age": 3'


def test_long_answers_are_mended_too() -> None:
    long = '{"name": "' + "x" * 40_000 + '", "age": 1,}'
    assert content(PluginBench(answer(long)).ask(response_format=FORMAT, plugins=HEAL)).endswith('","age":1}')


def test_other_dialects_are_mended() -> None:
    bench = PluginBench(answer('{"name": "A", "age": 1,}'), answer('{"name": "A", "age": 1,}'))
    form = {"type": "json_schema", "name": "person", "schema": SCHEMA}
    asked = bench.request({"model": "a/m", "input": "hi", "text": {"format": form}, "plugins": HEAL}, skin=RESPONSES)
    assert asked.json["output"][0]["content"][0]["text"] == '{"name":"A","age":1}'
    body = {"model": "a/m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "plugins": HEAL}
    asked = bench.request({**body, "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, skin=MESSAGES)
    assert asked.json["content"][0]["text"] == '{"name":"A","age":1}'


def test_a_long_talk_is_compressed_for_the_endpoint_that_is_tried() -> None:
    endpoints = [served("one", context_length=4000), served("two", model="a/big", context_length=100_000)]
    bench = PluginBench(UpstreamRefused("server", "down", status=500), answer(), endpoints=endpoints)
    outcome = bench.ask(models=["a/m", "a/big"], messages=talk(42), plugins=COMPRESS)
    assert outcome.error is None
    assert len(bench.sent[0]["messages"]) < 42
    assert bench.sent[0]["messages"][-1] == talk(42)[-1]
    assert bench.sent[1]["messages"] == talk(42)


def test_ten_thousand_tokens_choose_a_model_with_room_for_five() -> None:
    endpoints = [served("one", context_length=4_900), served("two", model="a/big", context_length=5_000)]
    bench = PluginBench(answer(), endpoints=endpoints)
    bench.ask(models=["a/m", "a/big"], messages=talk(100), plugins=COMPRESS)
    assert bench.client.sent[0].target.url.startswith("http://two")
    assert sum(len(one["content"]) for one in bench.sent[0]["messages"]) / 4 <= 5_000


def test_more_than_a_thousand_messages_become_the_first_and_the_last_five_hundred() -> None:
    bench = PluginBench(answer(), endpoints=[served("one", quirks=Quirks(max_messages=1000))])
    messages = talk(1201, size=1)
    bench.ask(messages=messages, plugins=COMPRESS)
    assert bench.sent[0]["messages"] == messages[:500] + messages[-500:]


@pytest.mark.parametrize(
    ("context", "fields", "compressed"),
    [
        (8192, {}, True),
        (8193, {}, False),
        (8192, {"plugins": [{"id": "context-compression", "enabled": False}]}, False),
        (8192, {"transforms": []}, False),
        (8193, {"transforms": ["middle-out"]}, True),
    ],
)
def test_small_endpoints_compress_unasked(context: int, fields: dict[str, Any], compressed: bool) -> None:
    bench = PluginBench(answer(), endpoints=[served("one", context_length=context)])
    outcome = bench.ask(messages=talk(200), **fields)
    if compressed:
        assert content(outcome) == "Paris."
        assert 0 < len(bench.sent[0]["messages"]) < 200
    else:
        assert outcome.error is not None
        assert "context-compression" in outcome.error.message
        assert bench.sent == []


def test_a_talk_that_fits_passes_through() -> None:
    bench = PluginBench(answer(), endpoints=[served("one", context_length=100_000)])
    messages = [{"role": "user", "content": "hi", "odd": 1}]
    bench.ask(messages=messages, plugins=COMPRESS)
    assert bench.sent[0]["messages"] == messages


def test_what_stages_did_is_noted() -> None:
    bench = PluginBench(answer('{"a": 1,}'), endpoints=[served("one", context_length=4000)])
    seen: list[Any] = []
    ledger = bench.services.ledger
    succeed = ledger.succeed
    ledger.succeed = lambda exchange, *rest, **more: (seen.append(exchange.notes), succeed(exchange, *rest, **more))[1]  # type: ignore[method-assign]
    bench.ask(messages=talk(42), response_format={"type": "json_object"}, plugins=[*COMPRESS, *HEAL])
    assert [note.type for note in seen[0]] == ["context_compression", "response_healing"]
