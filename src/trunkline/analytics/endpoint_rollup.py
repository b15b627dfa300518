"""Writes what endpoints did into slots of a minute, an hour and a day, in the transaction that stores the generations themselves, so that
each counts exactly once.

A slot is one row: counters that the database adds up, and distributions in one value that is read, merged and written back. The counters
are added first, which also keeps other writers from the row until the transaction ends. The slot of a generation is that of its end.

`distributions` is msgpack: for each of `slots.HISTOGRAMS`, in that order, a map from bin to count; a new distribution goes to the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Table

from trunkline.analytics import histogram
from trunkline.analytics.histogram import Bins
from trunkline.analytics.slots import COUNTERS, HISTOGRAMS, Slot, ended_ms, observe
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import Connection
from trunkline.storage.schema.telemetry import endpoint_day, endpoint_hour, endpoint_minute

MS_PER_MINUTE: Final = 60_000
MINUTES_PER_HOUR: Final = 60
HOURS_PER_DAY: Final = 24
COLUMNS: Final = ("slot", "endpoint_id", "model", "provider_name", *COUNTERS)
_LOOKUP: Final = 500
_ADDED: Final = "(slot, endpoint_id) DO UPDATE SET " + ", ".join(f"{name} = {{table}}.{name} + excluded.{name}" for name in COUNTERS)
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(list[dict[int, int]]).decode
_counters: Final = attrgetter(*COUNTERS)
_distributions: Final = attrgetter(*HISTOGRAMS)

Key = tuple[int, str]
Slots = dict[Key, Slot]


class Name(Struct, frozen=True, gc=False):
    """What an endpoint is called."""

    model: str
    provider_name: str


def by_minute(records: Iterable[GenerationRecord]) -> tuple[Slots, Mapping[str, Name]]:
    """What the generations tell of endpoints, by minute of their ends and endpoint id; and the names of these endpoints."""
    slots: Slots = {}
    names: dict[str, Name] = {}
    for record in records:
        minute = ended_ms(record) // MS_PER_MINUTE
        for attempt in record.attempts:
            key = (minute, attempt.endpoint_id)
            if key not in slots:
                slots[key] = Slot()
                names[attempt.endpoint_id] = Name(attempt.model, attempt.provider_name)
        observe(record, lambda endpoint_id, minute=minute: slots[minute, endpoint_id])  # type: ignore[misc]
    return slots, names


def coarser(slots: Mapping[Key, Slot], factor: int) -> Slots:
    """The sums over spans that are `factor` times as long."""
    sums: Slots = defaultdict(Slot)
    for (number, endpoint_id), slot in slots.items():
        sums[number // factor, endpoint_id].merge(slot)
    return sums


def add_endpoint_slots(connection: Connection, records: Iterable[GenerationRecord]) -> None:
    """Adds `records`, none of which was added before; inside a transaction of the caller."""
    minutes, names = by_minute(records)
    hours = coarser(minutes, MINUTES_PER_HOUR)
    for table, slots in ((endpoint_minute, minutes), (endpoint_hour, hours), (endpoint_day, coarser(hours, HOURS_PER_DAY))):
        _add(connection, table, slots, names)


def unpack(distributions: bytes | None) -> list[Bins]:
    """The stored distributions in the order of HISTOGRAMS; an older release's may be fewer."""
    return [] if distributions is None else _DECODE(distributions)


def _add(connection: Connection, table: Table, slots: Slots, names: Mapping[str, Name]) -> None:
    keys = sorted(slots)
    rows = [(*key, names[key[1]].model, names[key[1]].provider_name, *_counters(slots[key])) for key in keys]
    connection.insert(table, COLUMNS, rows, _ADDED.format(table=table.name))
    measured = [key for key in keys if any(_distributions(slots[key]))]
    if not measured:
        return
    sums = {key: _sum(_DECODE(stored), slots[key]) for key, stored in _stored(connection, table, measured)}
    update = f"UPDATE {table.name} SET distributions = ? WHERE slot = ? AND endpoint_id = ?"  # noqa: S608 - a table of ours
    connection.executemany(update, [(_ENCODE(sums.get(key) or _distributions(slots[key])), *key) for key in measured])


def _sum(stored: list[Bins], slot: Slot) -> list[Bins]:
    """The stored distributions with those of `slot` added: few values to many."""
    stored += [{} for _ in HISTOGRAMS[len(stored) :]]
    for into, bins in zip(stored, _distributions(slot), strict=True):
        histogram.merge(into, bins)
    return stored


def _stored(connection: Connection, table: Table, keys: Sequence[Key]) -> Iterable[tuple[Key, Any]]:
    """The distributions that are stored for `keys`."""
    endpoints: dict[int, list[str]] = defaultdict(list)
    for number, endpoint_id in keys:
        endpoints[number].append(endpoint_id)
    for number, ids in endpoints.items():
        for start in range(0, len(ids), _LOOKUP):
            some = ids[start : start + _LOOKUP]
            query = (
                f"SELECT endpoint_id, distributions FROM {table.name} WHERE slot = ? "  # noqa: S608 - a table of ours, and marks
                f"AND distributions IS NOT NULL AND endpoint_id IN ({', '.join('?' * len(some))})"
            )
            for endpoint_id, stored in connection.execute(query, (number, *some)).fetchall():
                yield (number, endpoint_id), stored
