"""The outage memory: 30 s, forgotten by a success."""

from trunkline.health.outages import WINDOW_SECONDS, OutageMemory


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_failure_is_remembered_for_the_window() -> None:
    clock = Clock()
    memory = OutageMemory(clock)
    memory.failed("a")
    assert memory.snapshot().failing("a")
    assert not memory.snapshot().failing("b")
    clock.now += WINDOW_SECONDS - 0.1
    assert memory.snapshot().failing("a")
    clock.now += 0.2
    assert not memory.snapshot().failing("a")


def test_failures_add_up_and_a_success_forgets_them() -> None:
    memory = OutageMemory(Clock())
    memory.failed("a")
    memory.failed("a")
    assert memory.snapshot().endpoints["a"].recent_failures == 2
    memory.succeeded("a")
    assert not memory.snapshot().failing("a")


def test_a_healthy_fleet_costs_nothing() -> None:
    memory = OutageMemory(Clock())
    memory.succeeded("a")
    assert memory.snapshot() is memory.snapshot()
