"""Cool-downs of credentials and of credentials with one model."""

import logging

import pytest
from msgspec.structs import replace
from pipelines import served

from trunkline.health.cooldowns import FIRST_SECONDS, LONGEST_SECONDS, REFUSED_SECONDS, STEP_SECONDS, Cooldowns

START = 1000.0
ENDPOINT = served("e0")
PAIR = (ENDPOINT.credential, ENDPOINT.model)
WHOLE = (ENDPOINT.credential, "")


def test_a_rate_limit_lasts_as_long_as_the_upstream_says() -> None:
    cooldowns = Cooldowns()
    cooldowns.rate_limited(ENDPOINT, START, 17.0)
    assert cooldowns.until == {PAIR: START + 17}
    cooldowns.rate_limited(ENDPOINT, START + 1, 3.0)
    assert cooldowns.until == {PAIR: START + 17}  # a smaller hint takes nothing back


def test_without_a_hint_pauses_double_up_to_a_minute() -> None:
    cooldowns = Cooldowns()
    now = START
    lengths = []
    for _ in range(6):
        cooldowns.rate_limited(ENDPOINT, now, None)
        lengths.append(cooldowns.until[PAIR] - now)
        now = cooldowns.until[PAIR] + 1
    assert lengths == [FIRST_SECONDS, 10, 20, 40, LONGEST_SECONDS, LONGEST_SECONDS]


def test_refusals_during_a_pause_make_it_no_longer() -> None:
    cooldowns = Cooldowns()
    for at in range(4):
        cooldowns.rate_limited(ENDPOINT, START + at, None)
    assert cooldowns.until == {PAIR: START + FIRST_SECONDS}


def test_a_success_after_a_pause_makes_the_next_one_short_again() -> None:
    cooldowns = Cooldowns()
    cooldowns.rate_limited(ENDPOINT, START, None)
    assert not cooldowns.succeeded(ENDPOINT, START + 1)
    assert cooldowns.until == {PAIR: START + FIRST_SECONDS}  # what was sent before says nothing
    cooldowns.rate_limited(ENDPOINT, START + 6, None)
    assert cooldowns.until == {PAIR: START + 16}
    cooldowns.succeeded(ENDPOINT, START + 17)
    cooldowns.rate_limited(ENDPOINT, START + 18, None)
    assert cooldowns.until == {PAIR: START + 18 + FIRST_SECONDS}


def test_a_pause_of_long_ago_makes_no_later_one_longer() -> None:
    cooldowns = Cooldowns()
    assert not cooldowns.knows_any
    cooldowns.rate_limited(ENDPOINT, START, None)
    later = START + FIRST_SECONDS + STEP_SECONDS + 1
    cooldowns.rate_limited(served("other"), later, 1.0)
    cooldowns.rate_limited(ENDPOINT, later, None)
    assert cooldowns.until[PAIR] == later + FIRST_SECONDS
    cooldowns.hear({}, later + 2 * STEP_SECONDS)
    assert not cooldowns.knows_any


def test_a_callers_own_key_is_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Cooldowns().refused(replace(ENDPOINT, byok="their-key"), START, "credential")
    assert [one.levelname for one in caplog.records] == ["INFO"]


def test_a_refused_credential_rests_and_the_operator_reads_of_it_once(caplog: pytest.LogCaptureFixture) -> None:
    cooldowns = Cooldowns()
    with caplog.at_level(logging.ERROR):
        for at in (0, 1, 599):
            cooldowns.refused(ENDPOINT, START + at, "quota")
        assert len(caplog.messages) == 1
        cooldowns.refused(ENDPOINT, START + 601, "quota")
    assert len(caplog.messages) == 2
    assert ENDPOINT.credential in caplog.messages[0]
    assert cooldowns.until == {WHOLE: START + 601 + REFUSED_SECONDS}


def test_an_answer_proves_the_credential_good() -> None:
    cooldowns = Cooldowns()
    cooldowns.refused(ENDPOINT, START, "credential")
    assert cooldowns.knows_any
    assert cooldowns.succeeded(ENDPOINT, START + 1)
    assert cooldowns.until == {}


def test_hints_of_others_join_and_go_but_are_not_passed_on() -> None:
    cooldowns = Cooldowns()
    until = cooldowns.until
    cooldowns.rate_limited(ENDPOINT, START, 10.0)
    cooldowns.hear({PAIR: START + 30, ("other", "m"): START + 5, ("past", ""): START - 1}, START)
    assert until == {PAIR: START + 30, ("other", "m"): START + 5}
    assert cooldowns.own == {PAIR: START + 10}
    cooldowns.hear({}, START)
    assert until == {PAIR: START + 10}
    cooldowns.hear({}, START + 11)
    assert until == {}
