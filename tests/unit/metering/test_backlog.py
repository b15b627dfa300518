from collections.abc import Callable

from trunkline.metering.backlog import EVIDENCE_BYTES, Backlog
from trunkline.metering.spool import Place
from trunkline.metering.tool_calls import ToolEvidence
from trunkline.protocol.generation import GenerationRecord

Make = Callable[..., GenerationRecord]


def test_records_wait_in_order_until_they_are_done(record: Make) -> None:
    backlog = Backlog(10)
    records = [record() for _ in range(3)]
    assert all(backlog.add(one, None, Place(1, 0, 1)) for one in records)
    batch = backlog.peek(2)
    assert [waiting.record for waiting in batch] == records[:2]
    assert backlog.get(records[0].id) == records[0]
    backlog.done(batch)
    assert backlog.get(records[0].id) is None
    assert [waiting.record for waiting in backlog.peek(9)] == records[2:]
    assert not backlog.is_empty
    backlog.done(backlog.peek(9))
    assert backlog.is_empty


def test_the_first_record_of_an_id_counts(record: Make) -> None:
    backlog = Backlog(10)
    one = record(cost=1)
    assert backlog.add(one, None, None)
    assert not backlog.add(record(id=one.id, cost=2), None, None)
    assert [waiting.record.cost for waiting in backlog.peek(9)] == [1]


def test_beyond_capacity_records_stay_in_the_spool_until_it_is_read(record: Make) -> None:
    backlog = Backlog(1)
    assert backlog.add(record(), None, Place(1, 0, 10))
    for place in (Place(1, 10, 20), Place(1, 20, 30), Place(2, 0, 10)):
        assert backlog.add(record(), None, place)
    assert len(backlog) == 1
    backlog.done(backlog.peek(1))
    assert backlog.add(record(), None, Place(2, 10, 20))
    assert len(backlog) == 0
    assert backlog.oldest_spooled() == Place(1, 10, 30)
    backlog.read_up_to(Place(1, 10, 30))
    assert backlog.oldest_spooled() == Place(2, 0, 20)
    assert not backlog.is_empty
    backlog.read_up_to(Place(2, 0, 20))
    assert backlog.is_empty
    assert backlog.add(record(), None, Place(2, 20, 30))
    assert len(backlog) == 1


def test_what_is_appended_while_a_range_is_read_is_read_next(record: Make) -> None:
    backlog = Backlog(0)
    backlog.add(record(), None, Place(1, 0, 10))
    backlog.add(record(), None, Place(2, 0, 10))
    seen = backlog.oldest_spooled()
    assert seen is not None
    backlog._spooled[1] = Place(1, 0, 25)
    backlog.read_up_to(seen)
    assert backlog.oldest_spooled() == Place(1, 10, 25)


def test_without_memory_and_spool_a_record_is_refused(record: Make) -> None:
    assert not Backlog(0).add(record(), None, None)


def test_evidence_in_memory_is_bounded_and_given_back(record: Make) -> None:
    backlog = Backlog(10)
    large = ToolEvidence(b"x" * (EVIDENCE_BYTES - 10), ())
    backlog.add(record(), large, None)
    backlog.add(record(), ToolEvidence(b"x" * 11, ()), None)
    backlog.add(record(), ToolEvidence(b"x" * 10, ()), None)
    assert [waiting.evidence is not None for waiting in backlog.peek(9)] == [True, False, True]
    backlog.done(backlog.peek(1))
    backlog.add(record(), large, None)
    assert backlog.peek(9)[-1].evidence is large
