import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.protocol.identity import uuid7
from trunkline.storage.days import LAST_DAY, MS_PER_DAY, date_of, day_of, first_id


def test_a_day_is_a_utc_day() -> None:
    assert (day_of(0), day_of(MS_PER_DAY - 1), day_of(MS_PER_DAY)) == (0, 0, 1)
    assert date_of(0) == "19700101"
    assert date_of(20_780) == "20261123"


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=10))
def test_an_id_lies_in_its_day(unix_ms: int, random: bytes) -> None:
    day = day_of(unix_ms)
    assert first_id(day) <= uuid7(unix_ms, random)
    if day <= LAST_DAY:
        assert uuid7(unix_ms, random) < first_id(day + 1)


def test_the_bounds_are_those_of_48_bits() -> None:
    assert first_id(0) == bytes(6)
    first_id(LAST_DAY + 1)
    with pytest.raises(OverflowError):
        first_id(LAST_DAY + 2)
    with pytest.raises(OverflowError):
        first_id(-1)
