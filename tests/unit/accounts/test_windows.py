from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.accounts.windows import DAY_MS, NO_END, RESETS, Reset, day_of, day_text, next_reset, window_at, window_start

moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2199, 12, 31), timezones=st.just(UTC))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.sampled_from(RESETS), moments, zones)
def test_a_window_starts_at_midnight_utc_on_its_day_and_holds_the_moment(reset: Reset, now: datetime, zone: timezone) -> None:
    start = window_start(reset, now.astimezone(zone))
    assert (start.hour, start.minute, start.second, start.microsecond, start.tzinfo) == (0, 0, 0, 0, UTC)
    assert start <= now
    longest = {"daily": 1, "weekly": 7, "monthly": 31}[reset]
    assert now - start < timedelta(days=longest)
    assert {"daily": True, "weekly": start.weekday() == 0, "monthly": start.day == 1}[reset]


@given(st.sampled_from(RESETS), moments)
def test_windows_follow_each_other_without_gap(reset: Reset, now: datetime) -> None:
    unix_ms = int(now.timestamp() * 1000)
    window = window_at(reset, unix_ms)
    assert window.first_day * DAY_MS <= unix_ms < window.end_ms
    assert window_at(reset, window.end_ms - 1) == window
    assert window_at(reset, window.end_ms).first_day * DAY_MS == window.end_ms


@pytest.mark.parametrize(
    ("reset", "start", "end"),
    [
        ("daily", "2026-11-23", "2026-11-24T00:00:00Z"),
        ("weekly", "2026-11-23", "2026-11-30T00:00:00Z"),
        ("monthly", "2026-11-01", "2026-12-01T00:00:00Z"),
    ],
)
def test_a_monday_in_november(reset: Reset, start: str, end: str) -> None:
    now = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
    unix_ms = int(now.timestamp() * 1000)
    assert day_text(window_at(reset, unix_ms).first_day) == start
    assert next_reset(reset, unix_ms) == end


def test_without_a_reset_every_day_counts_forever() -> None:
    window = window_at(None, 0)
    assert window.first_day < day_of(-(10**12))
    assert window.end_ms == NO_END
    assert next_reset(None, 0) is None
