"""Bounded memory: what was not asked for longest goes first."""

from hypothesis import given
from hypothesis import strategies as st

from trunkline.plugins.shelf import Shelf


def test_what_was_not_used_longest_goes_first() -> None:
    shelf: Shelf[str] = Shelf(bytes_limit=10, largest=10)
    assert shelf.put(b"a", "A", 4) and shelf.put(b"b", "B", 4)
    assert shelf.get(b"a") == "A"
    shelf.put(b"c", "C", 4)
    assert (shelf.get(b"a"), shelf.get(b"b"), shelf.get(b"c")) == ("A", None, "C")


def test_what_is_too_large_is_not_kept_and_takes_its_forerunner_along() -> None:
    shelf: Shelf[str] = Shelf(bytes_limit=10, largest=5)
    shelf.put(b"a", "A", 5)
    assert not shelf.put(b"a", "AA", 6)
    assert shelf.get(b"a") is None and shelf.size == 0


def test_no_more_than_so_many_entries() -> None:
    shelf: Shelf[int] = Shelf(bytes_limit=100, largest=10, entries=2)
    for number in range(3):
        shelf.put(b"%d" % number, number, 1)
    assert shelf.get(b"0") is None and shelf.get(b"2") == 2


def test_a_replaced_and_a_dropped_thing_free_their_bytes() -> None:
    shelf: Shelf[int] = Shelf(bytes_limit=100, largest=100)
    shelf.put(b"a", 1, 60)
    shelf.put(b"a", 2, 50)
    assert (shelf.get(b"a"), shelf.size) == (2, 50)
    shelf.drop(b"a")
    shelf.drop(b"a")
    assert (shelf.get(b"a"), shelf.size) == (None, 0)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", b"d"]), st.integers(0, 40), st.sampled_from(["put", "get", "drop"]))))
def test_it_never_holds_more_than_it_may(steps: list[tuple[bytes, int, str]]) -> None:
    shelf: Shelf[int] = Shelf(bytes_limit=50, largest=30, entries=3)
    for key, size, step in steps:
        if step == "put":
            assert shelf.put(key, size, size) == (size <= 30)
        elif step == "drop":
            shelf.drop(key)
        else:
            shelf.get(key)
        held = [found for one in (b"a", b"b", b"c", b"d") if (found := shelf.get(one)) is not None]
        assert shelf.size == sum(held) <= 50 and len(held) <= 3
