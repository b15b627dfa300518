"""Writes finished generations and their roll-ups. Idempotent: a generation counts once by its id, however often it is replayed."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

from msgspec import Struct
from sqlalchemy import Table

from trunkline.analytics.endpoint_rollup import add_endpoint_slots
from trunkline.analytics.rows import WRITTEN, to_rows
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import DUPLICATES, Connection
from trunkline.storage.days import MS_PER_DAY
from trunkline.storage.schema.telemetry import app_day, generations, key_day, model_day, task_day

_SUMS: Final = ("requests", "errors", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "cost", "byok_cost")
_LOOKUP: Final = 500
"""Ids asked for in one statement, below SQLite's limit of parameters."""

Measures = list[int]
Cells = dict[tuple[object, ...], Measures]
Rows = Sequence[tuple[object, ...]]


class Rollups(Struct, frozen=True):
    """Rows to add to the roll-up tables, each sorted by its key so that writers meet in one order."""

    model_day: Rows
    key_day: Rows
    app_day: Rows
    task_day: Rows = ()


def aggregate(records: Iterable[GenerationRecord]) -> Rollups:
    """The sums of `records` by model, by key, by app and by kind of task, all by UTC day. Requests that name no app are in no app's sums,
    and those whose task is not known in no task's."""
    models: Cells = {}
    keys: Cells = {}
    apps: Cells = {}
    tasks: Cells = {}
    providers: dict[tuple[object, ...], object] = {}
    titles: dict[tuple[object, ...], str | None] = {}
    for (day, key_hash, model, endpoint_id, provider_name, app, task, routed), measures in _cells(records, titles).items():
        _add(models, (day, model), measures)
        key = (key_hash, day, model, endpoint_id)
        _add(keys, key, measures)
        providers[key] = provider_name
        if app:
            _add(apps, (day, model, app), measures)
        if task:
            _add(tasks, (day, task, model, routed), measures)
    return Rollups(
        model_day=[(*cell, *models[cell]) for cell in _ordered(models)],
        key_day=[(*cell, providers[cell], *keys[cell]) for cell in _ordered(keys)],
        app_day=[(*cell, titles.get(cell), *apps[cell]) for cell in _ordered(apps)],
        task_day=[(*cell, *tasks[cell]) for cell in _ordered(tasks)],
    )


def _cells(records: Iterable[GenerationRecord], titles: dict[tuple[object, ...], str | None]) -> Cells:
    """The finest sums, from which all roll-ups are made; also notes the last title of each app."""
    cells: Cells = {}
    for record in records:
        if record.hedge_of is not None:
            continue
        day = record.created_ms // MS_PER_DAY
        model = record.model
        app = record.app_referer or record.app_title
        if record.app_title:
            titles[day, model, app] = record.app_title
        task = record.task
        routed = 1 if task and record.router else 0
        cell = (day, record.key_hash, model, record.endpoint_id, record.provider_name, app, task, routed)
        sums = cells.get(cell)
        if sums is None:
            sums = cells[cell] = [0] * len(_SUMS)
        sums[0] += 1
        if record.status >= 400 or record.error_type is not None:
            sums[1] += 1
        sums[2] += record.input_tokens
        sums[3] += record.output_tokens
        sums[4] += record.reasoning_tokens or 0
        sums[5] += record.cached_tokens or 0
        sums[6] += record.cost
        if record.is_byok:
            sums[7] += record.upstream_cost or 0
    return cells


def _add(cells: Cells, key: tuple[object, ...], measures: Measures) -> None:
    known = cells.get(key)
    cells[key] = measures if known is None else list(map(int.__add__, known, measures))


def _ordered(cells: Cells) -> list[tuple[object, ...]]:
    return sorted(cells, key=lambda cell: tuple(map(str, cell)))


class Upsert(Struct, frozen=True):
    """Adds rows to a roll-up table."""

    table: Table
    columns: tuple[str, ...]
    conflict: str


def _upsert(table: Table, key: Sequence[str], *extra: str) -> Upsert:
    sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in _SUMS)
    kept = "".join(f", {name} = coalesce(excluded.{name}, {table.name}.{name})" for name in extra)
    return Upsert(table, (*key, *extra, *_SUMS), f"({', '.join(key)}) DO UPDATE SET {sums}{kept}")


_UPSERTS: Final = (
    _upsert(model_day, ("day", "model")),
    _upsert(key_day, ("key_hash", "day", "model", "endpoint_id"), "provider_name"),
    _upsert(app_day, ("day", "model", "app"), "title"),
    _upsert(task_day, ("day", "task", "model", "routed")),
)


def write_batch(connection: Connection, records: Sequence[GenerationRecord]) -> int:
    """Stores `records` and adds the new ones to the roll-ups, in one transaction; returns how many were new.

    `connection` is of `Storage.connect_telemetry`. Raises what it raises, or OverflowError or UnicodeEncodeError for what no column holds,
    after which nothing of the batch is stored.
    """
    try:
        return _write(connection, sorted(records, key=attrgetter("id")), replayed=False)
    except DUPLICATES:  # one of them may be there already
        return _write(connection, records, replayed=True)


def _write(connection: Connection, records: Sequence[GenerationRecord], *, replayed: bool) -> int:
    """Stores `records`, which are in order of id (the order of the table), or those among them that are `_unknown`."""
    with connection.transaction():
        if replayed:
            records = _unknown(connection, records)
        connection.insert(generations, WRITTEN, to_rows(records))
        rollups = aggregate(records)
        for upsert in _UPSERTS:
            connection.insert(upsert.table, upsert.columns, getattr(rollups, upsert.table.name), upsert.conflict)
        add_endpoint_slots(connection, records)
    return len(records)


def _unknown(connection: Connection, records: Sequence[GenerationRecord]) -> list[GenerationRecord]:
    """The records that are not stored yet, the first of each id, in order of id (which is the order of the table)."""
    by_id: dict[bytes, GenerationRecord] = {}
    for record in records:
        by_id.setdefault(record.id, record)
    ids = sorted(by_id)
    for start in range(0, len(ids), _LOOKUP):
        some = ids[start : start + _LOOKUP]
        marks = ", ".join("?" * len(some))
        for (known,) in connection.execute(f"SELECT id FROM generations WHERE id IN ({marks})", some):  # noqa: S608 - marks only
            by_id.pop(known, None)
    return [by_id[id] for id in ids if id in by_id]
