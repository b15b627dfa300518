import threading
import time

import pytest

from trunkline.metering.turns import Turns


def test_one_at_a_time_has_it() -> None:
    turns, inside, most = Turns(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with turns:
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (inside, most) == (0, 1)


def test_they_have_it_in_the_order_of_asking() -> None:
    turns, order = Turns(), []

    def work(number: int) -> None:
        with turns:
            order.append(number)

    with turns:
        threads = []
        for number in range(8):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            deadline = time.monotonic() + 10
            while len(turns._waiting) <= number and time.monotonic() < deadline:
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert order == list(range(8))


def test_who_comes_again_at_once_comes_last() -> None:
    turns, had = Turns(), threading.Event()

    def wait() -> None:
        with turns:
            had.set()

    turns.__enter__()
    waiting = threading.Thread(target=wait)
    waiting.start()
    deadline = time.monotonic() + 10
    while not turns._waiting and time.monotonic() < deadline:
        time.sleep(0.001)
    turns.__exit__()
    with turns:
        assert had.is_set()
    waiting.join(10)


def test_an_error_gives_it_on() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="x"), turns:
        raise ValueError("x")
    with turns:
        pass
