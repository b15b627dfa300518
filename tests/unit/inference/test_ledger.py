"""Exchanges are closed once, with what the decoder saw."""

from pipelines import USER, Bench, served

from trunkline.dialects.chat.request import ChatRequest
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.ledger import Ledger
from trunkline.inference.skins import CHAT
from trunkline.limits.account import Hold
from trunkline.metering.estimates import Estimates
from trunkline.protocol.routing import Plan


class Seen:
    """What a decoder saw."""

    finish_reason = "stop"
    native_finish_reason = "stop"
    upstream_id = "up-1"
    service_tier = None
    output_chars = 40
    tool_calls = ()

    def __init__(self, usage: dict[str, object] | None = None) -> None:
        self.usage = usage


def exchange() -> Exchange:
    endpoint = served("one")
    made = Exchange(
        Call({b"http-referer": b"https://app.test"}, b"", Mint(), CHAT),
        USER,
        ChatRequest(fields={}, prompt_bytes=8),
        Plan((endpoint,)),
        Hold(),
        2,
    )
    made.endpoint = endpoint
    return made


def test_a_success_after_a_failure_changes_nothing() -> None:
    bench = Bench([served("one")])
    ledger = Ledger(bench.ledgers, bench.ledgers, Estimates())
    one = exchange()
    ledger.fail(one, status=502, error_type="provider_unavailable")
    ledger.succeed(one, served("one"), Seen({"prompt_tokens": 1, "completion_tokens": 1}))
    assert len(bench.ledgers.records) == 1
    assert bench.ledgers.settled == [0]
    assert bench.record.error_type == "provider_unavailable"


def test_the_upstreams_usage_teaches_the_estimates() -> None:
    bench, estimates = Bench([served("one")]), Estimates()
    Ledger(bench.ledgers, bench.ledgers, estimates).succeed(exchange(), served("one"), Seen({"prompt_tokens": 8, "completion_tokens": 100}))
    assert estimates.tokens("a/m", 8) == 8
    assert estimates.output_tokens("a/m") > 100
    assert bench.record.app_referer == "https://app.test"


def test_cache_use_is_recorded_with_what_it_saved() -> None:
    bench = Bench([served("one")])
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 10}}
    Ledger(bench.ledgers, bench.ledgers, Estimates()).succeed(exchange(), served("one"), Seen(usage))
    assert (bench.record.cached_tokens, bench.record.cache_write_tokens) == (50, 10)


def test_without_usage_both_sides_are_estimated() -> None:
    bench = Bench([served("one")])
    Ledger(bench.ledgers, bench.ledgers, Estimates()).succeed(exchange(), served("one"), Seen())
    assert (bench.record.input_tokens, bench.record.output_tokens, bench.record.usage_source) == (2, 10, "estimated")


class LeftEarly(Seen):
    """What a decoder saw of an answer that its client left."""

    finish_reason = None  # type: ignore[assignment]


def test_the_output_of_an_answer_that_was_left_is_estimated_where_its_upstream_counts_at_the_end() -> None:
    """The number in Anthropic's `message_start` is a placeholder (adapters 5.3)."""
    started = {"input_tokens": 10, "output_tokens": 1}
    bench, speaks = Bench([served("one")]), served("one", dialect="messages")
    usage, cost = Ledger(bench.ledgers, bench.ledgers, Estimates()).succeed(exchange(), speaks, LeftEarly(started), cancelled=True)
    assert (usage.input_total, usage.output_total, usage.source) == (10, Estimates().tokens("a/m", 40), "estimated")
    assert cost.total == 10 * 10 + usage.output_total * 20
    finished, _ = Ledger(bench.ledgers, bench.ledgers, Estimates()).succeed(exchange(), speaks, Seen(started))
    assert (finished.output_total, finished.source) == (1, "upstream")
