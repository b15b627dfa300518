import asyncio
import logging
import sqlite3
from collections.abc import Callable

import pytest

from trunkline.accounts.keys import Keys, NewKey
from trunkline.accounts.ledger_store import settle_batch
from trunkline.metering.batches import BatchWriter
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage
from trunkline.storage.layout import CONTROL, TELEMETRY

Make = Callable[..., GenerationRecord]
NOW_MS = 1_795_400_000_000


@pytest.fixture
def writer(databases):
    writer = BatchWriter(databases.control, databases.telemetry, settle_batch)
    yield writer
    writer.close()


def test_both_databases_hold_each_record_once(writer: BatchWriter, databases, record: Make) -> None:
    records = [record() for _ in range(3)]
    ids = sorted(one.id for one in records)
    writer.write("w1", records)
    writer.write("w1", records)
    assert databases.ids() == (ids, ids)
    assert databases.query(CONTROL, "SELECT amount FROM key_spend_day") == [3_000_000]
    assert databases.query(TELEMETRY, "SELECT cost FROM model_day") == [3_000_000]


def test_free_generations_have_no_ledger_row(writer: BatchWriter, databases, record: Make) -> None:
    free = record(cost=0)
    writer.write("w1", [free])
    assert databases.ids() == ([], [free.id])


def test_a_free_generation_notes_when_its_key_was_used(writer: BatchWriter, databases, both_storage: Storage, record: Make) -> None:
    created, _ = asyncio.run(Keys(both_storage).create(NewKey(name="free")))
    writer.write("w1", [record(cost=0, key_hash=created.record.hash)])
    assert databases.query(CONTROL, "SELECT last_used_ms FROM api_keys") == [NOW_MS]
    assert databases.ids()[0] == []


def test_with_the_callers_credential_the_ledger_notes_the_upstreams_charge(writer: BatchWriter, databases, record: Make) -> None:
    writer.write("w1", [record(cost=0, upstream_cost=77, is_byok=True), record(cost=0, upstream_cost=99)])
    assert databases.query(CONTROL, "SELECT byok_amount FROM key_spend_day") == [77]
    assert databases.query(CONTROL, "SELECT amount FROM key_spend_day") == [0]


def test_a_record_that_fits_no_column_is_given_up_alone(
    writer: BatchWriter, databases, record: Make, caplog: pytest.LogCaptureFixture
) -> None:
    good = [record() for _ in range(5)]
    bad = [record(cost=2**64), record(workspace_id=None), record(input_tokens=2**64)]
    with caplog.at_level(logging.ERROR):
        writer.write("w1", [good[0], bad[0], *good[1:4], bad[1], bad[2], good[4]])
    ids = {one.id for one in good}
    ledger, generations = databases.ids()
    assert set(generations) == ids
    assert set(ledger) == ids | {bad[1].id, bad[2].id}
    assert writer.rejected == 3
    assert bad[1].id.hex() in caplog.text


def test_an_outage_is_raised_and_the_same_batch_can_be_tried_again(writer: BatchWriter, databases, record: Make) -> None:
    one = record()
    databases.available = False
    with pytest.raises(sqlite3.OperationalError):
        writer.write("w1", [one])
    writer.close()
    databases.available = True
    writer.write("w1", [one])
    assert databases.ids() == ([one.id], [one.id])


def test_a_failure_between_the_databases_charges_once(databases, record: Make) -> None:
    one = record()
    failures = [sqlite3.OperationalError("disk I/O error")]

    def flaky() -> Connection:
        if failures:
            raise failures.pop()
        return databases.telemetry()

    writer = BatchWriter(databases.control, flaky, settle_batch)
    with pytest.raises(sqlite3.OperationalError):
        writer.write("w1", [one])
    assert databases.ids() == ([one.id], [])
    writer.write("w1", [one])
    writer.close()
    assert databases.ids() == ([one.id], [one.id])
    assert databases.query(CONTROL, "SELECT amount FROM key_spend_day") == [one.cost]
