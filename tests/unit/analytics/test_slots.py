"""How generations count for endpoints (contract 3.3)."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from trunkline.analytics.histogram import bin_of
from trunkline.analytics.slots import COUNTERS, HISTOGRAMS, Slot, ended_ms, observe
from trunkline.protocol.generation import AttemptRecord, GenerationRecord

Make = Callable[..., GenerationRecord]


def tried(endpoint_id: str = "e1", error_type: str | None = None, *, status: int = 200, latency_ms: int = 100) -> AttemptRecord:
    return AttemptRecord("Acme", endpoint_id, "acme/echo-1", status, latency_ms, None, error_type)


def counted(*records: GenerationRecord) -> dict[str, Slot]:
    slots: dict[str, Slot] = defaultdict(Slot)
    for record in records:
        observe(record, slots.__getitem__)
    return slots


def values(slot: Slot) -> dict[str, Any]:
    """What was counted, without what was not."""
    return {name: getattr(slot, name) for name in (*COUNTERS, *HISTOGRAMS) if getattr(slot, name)}


def test_an_answer_counts_with_its_speed(record: Make) -> None:
    slots = counted(record(streamed=True, generation_ms=2000, output_tokens=100, attempts=(tried(),)))
    assert values(slots["e1"]) == {
        "successes": 1,
        "output_tokens": 100,
        "latency": {bin_of(100): 1},
        "throughput": {bin_of(50): 1},
        "duration": {bin_of(2000): 1},
    }


def test_a_whole_answer_has_no_time_to_the_first_content(record: Make) -> None:
    slot = counted(record(streamed=False, generation_ms=2000, attempts=(tried(),)))["e1"]
    assert not slot.latency
    assert slot.duration


def test_every_attempt_counts_at_its_own_endpoint(record: Make) -> None:
    attempts = (tried("e1", "provider_unavailable", status=500), tried("e2", "rate_limit_exceeded", status=429), tried("e3"))
    slots = counted(record(generation_ms=1000, endpoint_id="e3", attempts=attempts))
    assert values(slots["e1"]) == {"errors": 1}
    assert values(slots["e2"]) == {"rate_limited": 1}
    assert (slots["e3"].successes, slots["e3"].output_tokens) == (1, 20)


@pytest.mark.parametrize(
    ("error_type", "counter"),
    [
        ("provider_unavailable", "errors"),  # 5xx, and the upstream's 401 and 402
        ("provider_overloaded", "errors"),
        ("timeout", "errors"),
        ("not_found", "errors"),
        ("rate_limit_exceeded", "rate_limited"),
        ("invalid_request", "refused"),
        ("context_length_exceeded", "refused"),
        ("content_policy_violation", "refused"),
        ("permission_denied", "refused"),
        ("payload_too_large", "refused"),
    ],
)
def test_what_lowers_the_uptime_and_what_does_not(record: Make, error_type: str, counter: str) -> None:
    slot = counted(record(status=502, error_type=error_type, attempts=(tried(error_type=error_type),)))["e1"]
    assert values(slot) == {counter: 1}


def test_an_answer_that_ends_with_an_error_is_one(record: Make) -> None:
    slot = counted(record(finish_reason="error", generation_ms=10, streamed=True, attempts=(tried(),)))["e1"]
    assert values(slot) == {"errors": 1}


def test_who_left_says_nothing_of_speed_but_for_the_first_content(record: Make) -> None:
    slot = counted(record(cancelled=True, streamed=True, generation_ms=5000, attempts=(tried(),)))["e1"]
    assert values(slot) == {"successes": 1, "output_tokens": 20, "latency": {bin_of(100): 1}}


def test_a_request_that_reached_no_endpoint_counts_nowhere(record: Make) -> None:
    assert counted(record(status=499, error_type="cancelled", cancelled=True)) == {}


def test_answers_without_text_have_no_throughput(record: Make) -> None:
    slot = counted(record(output_tokens=0, generation_ms=0, attempts=(tried(),)))["e1"]
    assert not slot.throughput
    assert slot.duration


def test_tool_calls_and_cached_prompts_are_counted(record: Make) -> None:
    good = record(tool_calls=2, tool_calls_invalid=0, cached_tokens=10, attempts=(tried(),))
    bad = record(tool_calls=1, tool_calls_invalid=1, cached_tokens=0, attempts=(tried(),))
    slot = counted(good, bad, record(tool_calls=1, attempts=(tried(),)))["e1"]
    assert (slot.tool_requests, slot.tool_failures, slot.cache_hits) == (3, 1, 1)


def test_a_generation_ends_when_all_its_attempts_have(record: Make) -> None:
    one = record(generation_ms=700, attempts=(tried(error_type="timeout", latency_ms=3000), tried(latency_ms=200)))
    assert ended_ms(one) == one.created_ms + 3700
    assert ended_ms(record(generation_ms=None)) == one.created_ms


def test_slots_add_up() -> None:
    slots = [Slot(), Slot()]
    for number, slot in enumerate(slots, 1):
        for name in COUNTERS:
            setattr(slot, name, number)
        for name in HISTOGRAMS:
            getattr(slot, name).update({1: number, 10 * number: 1})
    slots[0].merge(slots[1])
    assert [getattr(slots[0], name) for name in COUNTERS] == [3] * len(COUNTERS)
    assert [getattr(slots[0], name) for name in HISTOGRAMS] == [{1: 3, 10: 1, 20: 1}] * len(HISTOGRAMS)


def test_uptime_needs_enough_that_counts() -> None:
    slot = Slot()
    assert slot.uptime() is None
    slot.successes, slot.errors, slot.rate_limited, slot.refused = 96, 4, 500, 500
    assert slot.uptime(100) == 96
    assert slot.uptime(101) is None
