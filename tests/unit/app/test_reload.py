"""A reload beside the requests."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable

import pytest

from trunkline.app.reload import Reload
from trunkline.errors import ConfigError

PATIENCE = 30.0


class Work:
    """What a reload reads: one number after the other; `gate` holds it up."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.count = 0
        self.threads: list[threading.Thread] = []
        self.errors: list[ConfigError] = []

    def __call__(self) -> int:
        self.threads.append(threading.current_thread())
        self.count += 1
        number = self.count
        self.begun.release()
        assert self.gate.wait(PATIENCE)
        if self.errors:
            raise self.errors.pop()
        return number


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


def test_the_loop_goes_on_while_it_reads() -> None:
    work, taken = Work(), list[int]()

    async def scene() -> None:
        reload = Reload(work, taken.append)
        reload.ask()
        await until(lambda: work.count == 1)
        assert taken == []
        work.gate.set()
        await reload.done()
        assert taken == [1]
        assert work.threads[0] is not threading.current_thread()

    asyncio.run(scene())


def test_who_asks_meanwhile_gets_one_that_began_later() -> None:
    work, taken = Work(), list[int]()

    async def scene() -> None:
        reload = Reload(work, taken.append)
        reload.ask()
        await until(lambda: work.count == 1)
        for _ in range(3):
            reload.ask()
        assert work.count == 1
        work.gate.set()
        await reload.done()
        assert taken == [1, 2]
        reload.ask()
        await reload.done()
        assert taken == [1, 2, 3]

    asyncio.run(scene())


def test_what_is_wrong_is_told_and_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    work, taken = Work(), list[int]()
    work.gate.set()
    work.errors.append(ConfigError("trunkline.toml: models[0]", "is wrong"))

    async def scene() -> None:
        reload = Reload(work, taken.append)
        reload.ask()
        await reload.done()
        assert taken == []
        reload.ask()
        await reload.done()
        assert taken == [2]

    asyncio.run(scene())
    assert "the configuration is not reloaded: trunkline.toml: models[0]" in caplog.text


def test_nothing_asked_is_nothing_to_wait_for() -> None:
    asyncio.run(Reload(Work(), lambda _number: None).done())


def test_a_reload_that_computes_leaves_the_loop_many_turns() -> None:
    """As it was, the loop had none. How long each waits depends on the machine; that there are many does not."""
    interval, turns = sys.getswitchinterval(), 0

    def compute() -> float:
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            pass
        return sys.getswitchinterval()

    async def scene() -> None:
        nonlocal turns
        found: list[float] = []
        reload = Reload(compute, found.append)
        reload.ask()
        while not found:
            await asyncio.sleep(0)
            turns += 1
        assert found[0] < interval

    asyncio.run(scene())
    assert turns > 10
    assert sys.getswitchinterval() == interval
