"""Exchanges are closed once, with what the decoder saw."""

import pytest
from pipelines import USER, Bench, served

from trunkline.dialects.chat.request import ChatRequest
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.ledger import Ledger
from trunkline.inference.records import UNSEEN
from trunkline.inference.skins import CHAT
from trunkline.limits.account import Hold
from trunkline.metering.estimates import Estimates
from trunkline.protocol.catalogue import Timeouts
from trunkline.protocol.routing import Plan
from trunkline.transport.response import Response


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


def test_an_attempt_that_was_given_up_costs_its_key_nothing_and_is_recorded_once_for_its_owner() -> None:
    bench, one, id = Bench([served("one")]), exchange(), b"i" * 16
    ledger = Ledger(bench.ledgers, bench.ledgers, Estimates())
    assert ledger.lose(one, served("one"), UNSEEN, id, billed=True) == 2 * 10
    lost = bench.record
    assert (lost.id, lost.hedge_of, lost.attempts) == (id, one.call.id_text, ())
    assert (lost.cost, lost.upstream_cost, lost.usage_source, lost.cancelled, lost.error_type) == (0, 20, "estimated", True, None)
    assert not bench.ledgers.settled and not one.settled
    ledger.succeed(one, served("one"), Seen({"prompt_tokens": 1, "completion_tokens": 1}))
    assert [record.id for record in bench.ledgers.records] == [id, one.call.id]
    assert bench.ledgers.settled == [30]


def test_what_it_cost_is_what_the_upstream_says_where_it_does() -> None:
    bench = Bench([served("one")])
    ledger = Ledger(bench.ledgers, bench.ledgers, Estimates())
    told = Seen({"prompt_tokens": 7, "completion_tokens": 3})
    assert ledger.lose(exchange(), served("one"), told, b"1" * 16, billed=True) == 130
    priced = Seen({"prompt_tokens": 7, "completion_tokens": 3, "cost": 0.5})
    assert ledger.lose(exchange(), served("one"), priced, b"2" * 16, billed=True) == 500_000_000_000
    assert ledger.lose(exchange(), served("one"), UNSEEN, b"3" * 16, billed=False) == 0
    assert [record.upstream_cost for record in bench.ledgers.records] == [130, 500_000_000_000, 0]


@pytest.mark.parametrize("byok", [None, "b" * 8])
def test_a_client_that_leaves_before_the_content_pays_nothing_here(byok: str | None) -> None:
    bench, one = Bench([served("one")]), exchange()
    one.endpoint, one.response = served("one", byok=byok), Response(Timeouts(), sent_at=0.0)
    one.response.begin(200, [])
    ledger = Ledger(bench.ledgers, bench.ledgers, Estimates())
    ledger.leave(one)
    ledger.leave(one)
    record = bench.record
    assert (record.cost, record.input_tokens, record.output_tokens, record.upstream_cost) == (0, 2, 0, 20)
    assert (record.usage_source, record.cancelled, record.status, record.error_type) == ("estimated", True, 499, "cancelled")
    assert (bench.ledgers.settled, bench.ledgers.own_keys) == (([], [20]) if byok else ([0], []))


def test_before_anything_was_sent_nothing_costs() -> None:
    bench = Bench([served("one")])
    Ledger(bench.ledgers, bench.ledgers, Estimates()).leave(exchange())
    assert (bench.record.input_tokens, bench.record.upstream_cost, bench.record.endpoint_id) == (0, None, "one")
