"""How generations count for endpoints (contract 3.3)."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

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


def test_one_bad_call_among_five_makes_one_bad_answer(record: Make) -> None:
    """Contract 3.10: "one request with five tool calls, one bad -> exactly one errored request"."""
    slot = counted(record(tool_calls=5, tool_calls_invalid=1, attempts=(tried(),)))["e1"]
    assert (slot.tool_requests, slot.tool_failures) == (1, 1)
    slot = counted(record(tool_calls=5, tool_calls_invalid=5, attempts=(tried(),)))["e1"]
    assert (slot.tool_requests, slot.tool_failures) == (1, 1)


@pytest.mark.parametrize("cut", [{"cancelled": True}, {"finish_reason": "length"}])
def test_a_call_that_was_cut_off_is_no_bad_call(record: Make, cut: dict[str, object]) -> None:
    slot = counted(record(tool_calls=1, tool_calls_invalid=1, attempts=(tried(),), **cut))["e1"]
    assert (slot.successes, slot.tool_requests, slot.tool_failures) == (1, 0, 0)


def test_answers_that_were_judged_by_their_form_are_counted(record: Make) -> None:
    kept, broke, free, left = (
        record(structured_invalid=invalid, cancelled=cancelled, attempts=(tried("e0", "timeout"), tried()))
        for invalid, cancelled in ((False, False), (True, False), (None, False), (True, True))
    )
    slots = counted(kept, broke, free, left)
    assert (slots["e1"].structured_requests, slots["e1"].structured_failures) == (2, 1)
    assert (slots["e0"].structured_requests, slots["e0"].structured_failures) == (0, 0)


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


def test_an_attempt_that_was_given_up_for_a_faster_one_counts_by_its_patience_alone(record: Make) -> None:
    """It is neither good nor bad, but was at least so slow; a hedge that was given up may have been quick."""
    slow = AttemptRecord("Acme", "e1", "acme/echo-1", 0, 800, None, "cancelled")
    hedge = AttemptRecord("Acme", "e2", "acme/echo-1", 0, 90, None, "cancelled", hedge=True)
    won = record(streamed=True, generation_ms=1000, attempts=(slow, AttemptRecord("Acme", "e2", "acme/echo-1", 200, 120, hedge=True)))
    assert values(counted(won)["e1"]) == {"latency": {bin_of(800): 1}}
    assert counted(won)["e2"].successes == 1
    assert ended_ms(won) == won.created_ms + 1800
    lost = record(streamed=True, generation_ms=1000, attempts=(hedge, tried("e1")))
    assert values(counted(lost)["e2"]) == {}
    assert counted(lost)["e1"].successes == 1
    assert ended_ms(lost) == lost.created_ms + 1000
    left = record(status=499, error_type="cancelled", attempts=(hedge,))
    assert values(counted(left)["e2"]) == {}


@pytest.mark.parametrize("error_type", ["authentication", "payment_required", "not_found"])
def test_what_is_wrong_with_a_callers_own_key_does_not_lower_an_uptime(record: Make, error_type: str) -> None:
    theirs = structs.replace(tried(error_type=error_type, status=401), is_byok=True)
    assert values(counted(record(attempts=(theirs,)))["e1"]) == {"refused": 1}
    broken = structs.replace(tried(error_type="provider_unavailable", status=500), is_byok=True)
    assert values(counted(record(attempts=(broken,)))["e1"]) == {"errors": 1}


def test_a_refusal_for_geography_is_counted_apart(record: Make) -> None:
    assert values(counted(record(attempts=(tried(error_type="permission_denied", status=403),)))["e1"]) == {"refused": 1}
