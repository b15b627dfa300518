"""The breaker of one endpoint: outages, ejections, probes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.health.breaker import (
    CONSECUTIVE_FAILURES,
    EJECTION_SECONDS,
    JITTER,
    LEAST_REQUESTS,
    LONGEST_EJECTION_SECONDS,
    OUTAGE_SECONDS,
    PROBE_SECONDS,
    Breaker,
)

START = 1000.0


def ejected(now: float = START) -> Breaker:
    breaker = Breaker()
    for _ in range(CONSECUTIVE_FAILURES):
        breaker.fail(now, 0.0)
    return breaker


def test_failures_are_remembered_for_half_a_minute_or_until_a_success() -> None:
    breaker = Breaker()
    breaker.fail(START, 0.0)
    breaker.fail(START + 1, 0.0)
    assert (breaker.failures, breaker.failed_until) == (2, START + 1 + OUTAGE_SECONDS)
    breaker.fail(START + 40, 0.0)
    assert breaker.failures == 1
    assert not breaker.quiet
    assert breaker.succeed(START + 41)
    assert (breaker.failures, breaker.failed_until, breaker.quiet) == (0, 0.0, True)


def test_a_success_in_good_times_changes_nothing() -> None:
    assert not Breaker().succeed(START)


def test_five_failures_in_a_row_eject() -> None:
    breaker = Breaker()
    for _ in range(CONSECUTIVE_FAILURES - 1):
        breaker.fail(START, 0.0)
    assert breaker.ejected_until == 0.0
    breaker.fail(START, 0.0)
    assert breaker.ejected_until == START + EJECTION_SECONDS


def test_successes_between_failures_keep_an_endpoint_in_use() -> None:
    breaker = Breaker()
    for _ in range(3 * CONSECUTIVE_FAILURES):
        breaker.fail(START, 0.0)
        breaker.succeed(START)
        breaker.succeed(START)
    assert breaker.ejected_until == 0.0


def test_half_of_ten_requests_in_half_a_minute_eject() -> None:
    breaker = Breaker()
    for at in range(LEAST_REQUESTS // 2 - 1):
        breaker.succeed(START + at)
        breaker.fail(START + at, 0.0)
    breaker.succeed(START + 10)
    assert breaker.ejected_until == 0.0
    breaker.fail(START + 11, 0.0)
    assert breaker.ejected_until == START + 11 + EJECTION_SECONDS


def test_failures_of_long_ago_do_not_count() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.succeed(START)
        breaker.fail(START, 0.0)
    breaker.succeed(START + 40)
    breaker.fail(START + 40, 0.0)
    assert breaker.ejected_until == 0.0


def test_many_good_answers_outweigh_a_few_failures() -> None:
    breaker = Breaker()
    for _ in range(20):
        breaker.succeed(START)
    for _ in range(8):
        breaker.fail(START + 2, 0.0)
        breaker.succeed(START + 2)
    assert breaker.ejected_until == 0.0


def test_a_late_failure_takes_its_success_back() -> None:
    breaker = Breaker()
    for at in range(LEAST_REQUESTS - 1):
        breaker.succeed(START + at)
        breaker.fail(START + at, 0.0, late=True)
    assert breaker.ejected_until == 0.0  # nine requests, all of them cut
    breaker.succeed(START + 9)
    breaker.fail(START + 9, 0.0, late=True)
    assert breaker.ejected_until > START + 9


def test_one_request_at_a_time_tries_a_half_open_endpoint() -> None:
    breaker = ejected()
    during, after = START + 5, START + EJECTION_SECONDS + 1
    assert breaker.begin(during)
    assert breaker.probe_until == 0.0  # who has nowhere else to go may try it before, and is no probe
    assert breaker.begin(after)
    assert not breaker.begin(after)
    breaker.release()
    assert breaker.begin(after)
    assert breaker.begin(after + PROBE_SECONDS)  # a probe that never ended is forgotten


def test_a_probe_that_succeeds_closes_the_breaker() -> None:
    breaker = ejected()
    after = START + EJECTION_SECONDS + 1
    breaker.begin(after)
    breaker.succeed(after)
    assert (breaker.ejected_until, breaker.probe_until, breaker.failures) == (0.0, 0.0, 0)
    assert breaker.begin(after)
    breaker.fail(after, 0.0)
    assert breaker.ejected_until == 0.0  # old failures do not count any more


def test_a_probe_that_fails_ejects_for_longer_up_to_a_limit() -> None:
    breaker = ejected()
    for times in range(2, 15):
        now = breaker.ejected_until + 1
        assert breaker.begin(now)
        breaker.fail(now, 0.0)
        assert breaker.ejected_until == now + min(times * EJECTION_SECONDS, LONGEST_EJECTION_SECONDS)


def test_failures_during_an_ejection_do_not_lengthen_it() -> None:
    breaker = ejected()
    until = breaker.ejected_until
    for _ in range(20):
        breaker.fail(START + 3, 0.0)
    assert breaker.ejected_until == until


def test_ends_of_ejections_are_spread_within_the_limit() -> None:
    breaker = Breaker()
    for _ in range(CONSECUTIVE_FAILURES):
        breaker.fail(START, 0.5)
    assert breaker.ejected_until == pytest.approx(START + EJECTION_SECONDS * (1 + JITTER / 2))


def test_a_success_during_an_ejection_closes_it_unless_it_fails_every_other_time() -> None:
    breaker = ejected()
    assert breaker.succeed(START + 1)
    assert breaker.ejected_until == 0.0
    flaky = Breaker()
    for _ in range(LEAST_REQUESTS // 2):
        flaky.succeed(START)
        flaky.fail(START, 0.0)
    until = flaky.ejected_until
    assert flaky.succeed(START + 1)
    assert flaky.ejected_until == until > START
    assert flaky.succeed(until + 1)
    assert flaky.ejected_until == 0.0


def test_each_calm_half_minute_lets_one_ejection_be_forgotten() -> None:
    breaker = ejected()
    now = breaker.ejected_until + 1
    breaker.fail(now, 0.0)  # the second
    now = breaker.ejected_until + 1
    breaker.succeed(now)
    breaker.succeed(now + EJECTION_SECONDS)
    assert not breaker.quiet
    breaker.succeed(now + 2 * EJECTION_SECONDS)
    assert breaker.quiet
    now += 3 * EJECTION_SECONDS
    for _ in range(CONSECUTIVE_FAILURES):
        breaker.fail(now, 0.0)
    assert breaker.ejected_until == now + EJECTION_SECONDS  # as if it were the first


def test_an_endpoint_may_ask_for_a_rest() -> None:
    breaker = Breaker()
    breaker.rest(START + 7)
    breaker.rest(START + 3)
    assert (breaker.ejected_until, breaker.quiet) == (START + 7, False)
    breaker.succeed(START + 8)
    assert breaker.quiet


STEPS = st.lists(st.tuples(st.floats(0, 40), st.sampled_from(("succeed", "fail", "late", "begin", "release", "rest"))), max_size=80)


@given(STEPS, st.floats(0, 0.999))
def test_whatever_happens_ejections_end_and_one_probe_runs_at_a_time(steps: list[tuple[float, str]], draw: float) -> None:
    breaker = Breaker()
    now, probe_since = START, None
    for seconds, step in steps:
        now += seconds
        half_open = 0 < breaker.ejected_until <= now
        if step == "begin":
            allowed = breaker.begin(now)
            if half_open and probe_since is not None and now < probe_since + PROBE_SECONDS:
                assert not allowed
            elif half_open:
                assert allowed
                probe_since = now
            else:
                assert allowed
            continue
        if step == "succeed":
            breaker.succeed(now)
            assert breaker.failures == 0
        elif step == "rest":
            breaker.rest(now + 10)
        elif step == "release":
            breaker.release()
        else:
            breaker.fail(now, draw, late=step == "late")
            assert breaker.failures >= 1
        if not breaker.probe_until:
            probe_since = None
        assert breaker.ejected_until <= now + LONGEST_EJECTION_SECONDS
        assert breaker.failed_until <= now + OUTAGE_SECONDS
