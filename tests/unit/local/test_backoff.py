from hypothesis import given
from hypothesis import strategies as st

from trunkline.local.backoff import FIRST_PAUSE, LONGEST_PAUSE, STEADY, Backoff


def pauses(gaps: list[float]) -> list[float]:
    """The pause asked for right after each start, with `gaps` seconds between the starts."""
    backoff, now, seen = Backoff(), 1000.0, []
    for gap in gaps:
        backoff.started(now)
        seen.append(round(backoff.remaining(now), 6))
        now += gap
    return seen


def test_the_first_start_waits_for_nothing() -> None:
    assert Backoff().remaining(0.0) == 0.0


def test_pauses_double_up_to_the_cap() -> None:
    assert pauses([1.0] * 8) == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_steady_run_starts_the_count_again() -> None:
    assert pauses([1.0, 1.0, STEADY, 1.0]) == [0.2, 0.4, 0.8, 0.2]


def test_a_pause_runs_out() -> None:
    backoff = Backoff()
    backoff.started(5.0)
    assert backoff.remaining(5.0 + FIRST_PAUSE) == 0.0


@given(st.lists(st.floats(0.0, 120.0), max_size=40))
def test_no_pause_is_negative_or_above_the_cap(gaps: list[float]) -> None:
    assert all(0.0 <= pause <= LONGEST_PAUSE for pause in pauses(gaps))


def test_every_start_is_counted() -> None:
    backoff = Backoff()
    for now in (0.0, 1.0, 200.0):
        backoff.started(now)
    assert backoff.starts == 3
