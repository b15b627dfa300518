import re

from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.names import Names, fit

ALPHABET = "A-Za-z0-9_-"


@given(st.lists(st.text(min_size=1, max_size=100), max_size=20))
def test_every_name_fits_and_comes_back(names: list[str]) -> None:
    map_ = Names(names, allowed=ALPHABET, limit=64)
    for name in names:
        wire = map_.wire(name)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", wire)
        assert map_.original(wire) == name


def test_names_that_fit_stay() -> None:
    map_ = Names(["get_weather", "a.b"], allowed=ALPHABET, limit=64)
    assert map_.wire("get_weather") == "get_weather"
    assert map_.wire("a.b") != "a.b"
    assert map_.wire("never seen") == "never seen"
    assert map_.original("never_seen") == "never_seen"


def test_names_that_would_meet_are_kept_apart() -> None:
    first, second = "mcp.files.read", "mcp/files/read"
    map_ = Names([first, second], allowed=ALPHABET, limit=64)
    assert map_.wire(first) != map_.wire(second)


def test_the_same_id_is_fitted_the_same() -> None:
    assert fit("call:1", allowed=ALPHABET, limit=40) == fit("call:1", allowed=ALPHABET, limit=40)
    assert fit("", allowed=ALPHABET, limit=40)
