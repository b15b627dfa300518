"""The last five minutes of each endpoint."""

import pytest

from trunkline.analytics.histogram import bin_of
from trunkline.analytics.slots import Slot
from trunkline.health.live import FRACTIONS, LEAST, MINUTES, SHARED_SECONDS, Live, percentiles
from trunkline.protocol.generation import AttemptRecord, GenerationRecord


class Clock:
    now = 6_000_000.0

    def __call__(self) -> float:
        return self.now


def answered(latency_ms: int, tokens: int = 100, milliseconds: int = 2000) -> GenerationRecord:
    attempt = AttemptRecord("Acme", "e", "a/m", 200, latency_ms)
    return GenerationRecord(
        id=b"0" * 16,
        created_ms=0,
        key_hash="k",
        workspace_id="w",
        model="a/m",
        endpoint_id="e",
        provider_name="Acme",
        api_type="completions",
        cost=0,
        streamed=True,
        output_tokens=tokens,
        generation_ms=milliseconds,
        attempts=(attempt,),
    )


def test_percentiles_are_in_seconds_and_tokens_a_second() -> None:
    live = Live(Clock())
    for number in range(1, 101):
        live.observe(answered(10 * number, milliseconds=100 * number))
    latency, throughput = live.percentiles("e")
    assert latency is not None
    assert throughput is not None
    assert [latency.p50, latency.p75, latency.p90, latency.p99] == pytest.approx([0.5, 0.75, 0.9, 0.99], rel=0.021)
    assert [throughput.p50, throughput.p99] == pytest.approx([20, 1000 / 2], rel=0.04)


def test_too_few_answers_tell_nothing() -> None:
    live = Live(Clock())
    assert live.percentiles("e") == (None, None)
    for _ in range(LEAST - 1):
        live.observe(answered(10))
    assert live.percentiles("e") == (None, None)
    live.observe(answered(10))
    assert live.percentiles("e")[0] is not None


def test_minutes_pass() -> None:
    clock = Clock()
    live = Live(clock)
    for _ in range(10):
        live.observe(answered(1000))
    clock.now += 60 * (MINUTES - 1)
    for _ in range(30):
        live.observe(answered(10))
    latency, _ = live.percentiles("e")
    assert latency is not None
    assert latency.p99 == pytest.approx(1, rel=0.021)
    clock.now += 60
    latency, _ = live.percentiles("e")
    assert latency is not None
    assert latency.p99 == pytest.approx(0.01, rel=0.021)
    clock.now += 60 * MINUTES
    assert live.percentiles("e") == (None, None)


def test_the_window_goes_on_where_storage_ends() -> None:
    clock = Clock()
    live = Live(clock)
    minute = int(clock.now) // 60
    for back in (2, 0):
        slot = Slot()
        slot.latency[bin_of(240)] = 4
        live.seed(minute - back, "e", slot)
    for _ in range(12):
        live.observe(answered(10))
    latency, _ = live.percentiles("e")
    assert latency is not None
    assert latency.p50 == pytest.approx(0.01, rel=0.021)
    assert latency.p99 == pytest.approx(0.24, rel=0.03)


def test_the_window_holds_no_more_than_its_minutes() -> None:
    clock = Clock()
    live = Live(clock)
    for _ in range(100):
        live.observe(answered(10))
        clock.now += 60
    assert len(live._slots["e"]) == MINUTES


def test_percentiles_need_values() -> None:
    assert percentiles({}) is None
    assert FRACTIONS == (0.5, 0.75, 0.9, 0.99)


def test_what_is_late_is_told_of_enough_streams_of_the_last_minutes() -> None:
    clock = Clock()
    live = Live(clock)
    for _ in range(18):
        live.observe(answered(100))
    live.observe(answered(4000))
    assert live.late("e") is None
    live.observe(answered(5000))
    assert live.late("e") == pytest.approx(4.0, rel=0.02), "the 19th of 20"
    clock.now += MINUTES * 60
    assert live.late("e") is None
    assert live.late("unknown") is None


def stored(count: int, latency_ms: float) -> Slot:
    slot = Slot()
    slot.successes = count
    slot.latency = {bin_of(latency_ms): count}
    slot.throughput = {bin_of(50.0): count}
    return slot


def test_what_all_processes_stored_counts_where_it_is_more() -> None:
    clock = Clock()
    live = Live(clock)
    for _ in range(5):
        live.observe(answered(100))
    assert live.share({"e": stored(5, 900.0)}) == set()
    assert live.share({"e": stored(6, 900.0), "other": stored(9, 700.0)}) == {"e", "other"}
    latency, throughput = live.percentiles("e")
    assert latency is not None and throughput is not None
    assert (latency.p50, throughput.p50) == (pytest.approx(0.9, rel=0.03), pytest.approx(50, rel=0.03))
    assert live.percentiles("other")[0] is not None


def test_what_was_shared_is_forgotten_when_it_is_no_more_or_old() -> None:
    clock = Clock()
    live = Live(clock)
    live.share({"e": stored(6, 900.0)})
    assert live.percentiles("e")[0] is not None
    clock.now += SHARED_SECONDS
    assert live.percentiles("e") == (None, None)
    live.share({"e": stored(6, 900.0)})
    assert live.percentiles("e")[0] is not None
    assert live.share({}) == {"e"}
    assert live.percentiles("e") == (None, None)
