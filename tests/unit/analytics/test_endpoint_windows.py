"""Windows over the slots of endpoints, on both engines."""

from collections.abc import Callable

import pytest

from trunkline.analytics.endpoint_windows import AGAIN, ANEW, Window, tool_counts
from trunkline.analytics.histogram import total
from trunkline.analytics.rollup import write_batch
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.storage.connection import Connection
from trunkline.storage.schema.telemetry import endpoint_minute

Make = Callable[..., GenerationRecord]
DAY = 20_000
NOW = DAY * 24 * 60 + 600
LENGTH = 30


@pytest.fixture
def served(telemetry: Connection, record: Make) -> Callable[..., None]:
    """Stores answers of an endpoint in a minute."""

    def store(minute: int, endpoint_id: str = "e1", *, count: int = 1, **changes: object) -> None:
        attempt = AttemptRecord("Acme", endpoint_id, "acme/echo-1", 200, 100)
        made = {"streamed": True, "created_ms": minute * 60_000, "attempts": (attempt,), **changes}
        write_batch(telemetry, [record(**made) for _ in range(count)])

    return store


def test_it_holds_its_length_and_no_more(telemetry: Connection, served: Callable[..., None]) -> None:
    for minute in (NOW, NOW - 4, NOW - 5, NOW - LENGTH + 1, NOW - LENGTH):
        served(minute)
    served(NOW - 7, "e2", count=2)
    window = Window(endpoint_minute, LENGTH)
    window.read(telemetry, NOW)
    assert sorted(window.endpoints()) == ["e1", "e2"]
    assert [window.newest("e1", length).successes for length in (1, 5, 6, LENGTH)] == [1, 2, 3, 4]
    assert total(window.newest("e1", 5).latency) == 2
    assert window.newest("nobody", 5).successes == 0


def test_it_slides_along_and_reads_late_batches(telemetry: Connection, served: Callable[..., None]) -> None:
    window = Window(endpoint_minute, LENGTH)
    served(NOW)
    window.read(telemetry, NOW)
    served(NOW, count=2)
    served(NOW - AGAIN + 1, count=4)
    window.read(telemetry, NOW)
    assert window.newest("e1", LENGTH).successes == 7
    window.read(telemetry, NOW + 1)
    assert window.newest("e1", 1).successes == 0
    window.read(telemetry, NOW + LENGTH)
    assert window.endpoints() == ()


def test_only_the_newest_slots_are_read_again_but_now_and_then_all(telemetry: Connection, served: Callable[..., None]) -> None:
    window = Window(endpoint_minute, LENGTH)
    served(NOW - 10)
    window.read(telemetry, NOW)
    served(NOW - 10)
    window.read(telemetry, NOW)
    assert window.newest("e1", LENGTH).successes == 1
    for _ in range(ANEW):
        window.read(telemetry, NOW)
    assert window.newest("e1", LENGTH).successes == 2


def test_after_a_pause_nothing_is_missed(telemetry: Connection, served: Callable[..., None]) -> None:
    window = Window(endpoint_minute, LENGTH)
    window.read(telemetry, NOW)
    served(NOW + 2)
    window.read(telemetry, NOW + 2 + 2 * AGAIN)
    assert window.newest("e1", LENGTH).successes == 1


def test_it_can_do_without_distributions(telemetry: Connection, served: Callable[..., None]) -> None:
    served(NOW)
    window = Window(endpoint_minute, LENGTH, distributions=False)
    window.read(telemetry, NOW)
    slot = window.newest("e1", 1)
    assert (slot.successes, slot.latency) == (1, {})


def test_its_slots_come_in_order_of_time(telemetry: Connection, served: Callable[..., None]) -> None:
    for minute, endpoint_id in ((NOW, "e1"), (NOW - 2, "e2"), (NOW - 1, "e1"), (NOW - 9, "e1")):
        served(minute, endpoint_id)
    window = Window(endpoint_minute, LENGTH)
    window.read(telemetry, NOW)
    assert [(number - NOW, id, slot.successes) for number, id, slot in window.since(NOW - 4)] == [
        (-2, "e2", 1),
        (-1, "e1", 1),
        (0, "e1", 1),
    ]


def test_tool_calls_are_summed_since_a_minute(telemetry: Connection, served: Callable[..., None]) -> None:
    served(NOW - 100, tool_calls=1, tool_calls_invalid=1)
    served(NOW - 50, tool_calls=1, tool_calls_invalid=1)
    served(NOW, count=2, tool_calls=1, tool_calls_invalid=0)
    served(NOW, "e2")
    assert tool_counts(telemetry, NOW - 60) == {"e1": (3, 1)}
