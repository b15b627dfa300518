"""Contract 3.8: what makes a conversation stick, and what ends it."""

from trunkline.health.stickiness import IDLE_SECONDS, Stickiness

KEY, OTHER = b"conversation", b"another"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_named_conversation_sticks_from_its_first_success() -> None:
    sticky = Stickiness()
    assert sticky.choice(KEY) == ""
    sticky.succeeded(KEY, "a@x", named=True, cached=False)
    assert sticky.choice(KEY) == "a@x"
    assert sticky.choice(OTHER) == ""


def test_an_unnamed_one_sticks_only_after_the_cache_was_used() -> None:
    sticky = Stickiness()
    sticky.succeeded(KEY, "a@x", named=False, cached=False)
    assert sticky.choice(KEY) == ""
    sticky.succeeded(KEY, "a@x", named=False, cached=True)
    assert sticky.choice(KEY) == "a@x"
    sticky.succeeded(KEY, "a@x", named=False, cached=False)
    assert sticky.choice(KEY) == "a@x"


def test_another_endpoint_that_used_no_cache_ends_an_unnamed_one() -> None:
    sticky = Stickiness()
    sticky.succeeded(KEY, "a@x", named=False, cached=True)
    sticky.succeeded(KEY, "a@y", named=False, cached=False)
    assert sticky.choice(KEY) == ""


def test_success_refreshes_and_ten_idle_minutes_end_it() -> None:
    clock = Clock()
    sticky = Stickiness(clock=clock)
    sticky.succeeded(KEY, "a@x", named=True, cached=False)
    clock.now += IDLE_SECONDS - 1
    sticky.succeeded(KEY, "a@x", named=True, cached=False)
    clock.now += IDLE_SECONDS - 1
    assert sticky.choice(KEY) == "a@x"
    clock.now += 1
    assert sticky.choice(KEY) == ""
    assert len(sticky) == 0


def test_a_failure_of_its_endpoint_ends_it() -> None:
    sticky = Stickiness()
    sticky.succeeded(KEY, "a@x", named=True, cached=False)
    sticky.failed(KEY, "a@y")
    sticky.failed(OTHER, "a@x")
    assert sticky.choice(KEY) == "a@x"
    sticky.failed(KEY, "a@x")
    assert sticky.choice(KEY) == ""


def test_the_longest_idle_goes_first_when_it_is_full() -> None:
    sticky = Stickiness(capacity=2)
    for key in (b"1", b"2"):
        sticky.succeeded(key, "a@x", named=True, cached=False)
    sticky.succeeded(b"1", "a@x", named=True, cached=False)
    sticky.succeeded(b"3", "a@x", named=True, cached=False)
    assert [sticky.choice(key) for key in (b"1", b"2", b"3")] == ["a@x", "", "a@x"]
    assert len(sticky) == 2
