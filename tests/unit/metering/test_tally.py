import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from trunkline.metering.tally import Tally, open_tally

NOTHING = {"waiting": 0, "lost": 0, "rejected": 0, "dropped": 0}


@pytest.fixture
def descriptor() -> Iterator[int]:
    descriptor = open_tally(3)
    yield descriptor
    os.close(descriptor)


def test_the_total_is_over_all_workers(descriptor: int) -> None:
    one, two, three = (Tally(descriptor, number) for number in range(3))
    assert one.total(NOTHING) == NOTHING
    two.publish({"waiting": 20, "lost": 1, "rejected": 2, "dropped": 3})
    three.publish({"waiting": 2**40, "lost": 10, "rejected": 20, "dropped": 30})
    assert one.total({"waiting": 1, "lost": 100, "rejected": 200, "dropped": 300}) == {
        "waiting": 2**40 + 21,
        "lost": 111,
        "rejected": 222,
        "dropped": 333,
    }
    three.publish(NOTHING)
    assert one.total(NOTHING) == {"waiting": 20, "lost": 1, "rejected": 2, "dropped": 3}


def test_ones_own_counters_are_those_of_the_moment(descriptor: int) -> None:
    tally = Tally(descriptor, 1)
    tally.publish(NOTHING | {"waiting": 5, "lost": 5})
    assert tally.total(NOTHING | {"waiting": 6, "lost": 6}) == NOTHING | {"waiting": 6, "lost": 6}


def test_what_a_dead_worker_lost_stays_counted_and_what_waited_does_not(descriptor: int) -> None:
    Tally(descriptor, 0).publish({"waiting": 9, "lost": 1, "rejected": 2, "dropped": 3})
    for _ in range(2):
        tally = Tally(descriptor, 0)
        assert tally.total(NOTHING) == {"waiting": 0, "lost": 1, "rejected": 2, "dropped": 3}
        tally.publish(NOTHING)
    tally.publish(NOTHING | {"lost": 4})
    tally.publish(NOTHING | {"lost": 5})
    assert Tally(descriptor, 1).total(NOTHING)["lost"] == 6


def test_other_processes_see_it(descriptor: int) -> None:
    own = "{'waiting': 1, 'lost': 2, 'rejected': 3, 'dropped': 4}"
    program = f"import sys; from trunkline.metering.tally import Tally; Tally(int(sys.argv[1]), 2).publish({own})"
    subprocess.run([sys.executable, "-c", program, str(descriptor)], check=True, pass_fds=[descriptor])
    assert Tally(descriptor, 0).total(NOTHING) == {"waiting": 1, "lost": 2, "rejected": 3, "dropped": 4}
