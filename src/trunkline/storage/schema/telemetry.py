"""Generations and their roll-ups: daily sums, and what endpoints did by minute, hour and day.

`generations` has a column for each field of `protocol.generation.GenerationRecord` that lists select by, under the same name; all other
fields are in `details`, whose format is told in `analytics.rows`; some of them and `app` are in columns after that, too, so that lists can
be narrowed by them. Its key is the 16 bytes of the generation's UUIDv7, so rows lie in
order of time, and a range of time is a range of ids. `*_day` tables are sums by UTC day (`day` = whole days since 1970-01-01). Tokens are
tokens, money is pico-dollars. `prompt_tokens` and `completion_tokens` sum `input_tokens` and `output_tokens`; `reasoning_tokens` and
`cached_tokens` are parts of them.
`byok_cost` is what was spent at a provider with the caller's own credential, and is no part of `cost`.

`task_day` sums the generations whose kind of task is known: where `routed` is 1 those for which a router chose the model, of which all are
known, and where it is 0 those of a sample that named their model (`inference.samples`).

`endpoint_minute`, `endpoint_hour` and `endpoint_day` hold what `analytics.slots.Slot` counts of an endpoint; `slot` is the whole minutes,
hours or days since 1970-01-01, and `distributions` is a format of `analytics.endpoint_rollup`.

On PostgreSQL `generations` is divided by UTC day of its id (`storage.postgres.partitions`), and born with the default partition alone.
"""

from typing import Any

from sqlalchemy import DDL, BigInteger, Column, Connection, Index, Integer, LargeBinary, MetaData, Table, Text, event, text

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
VERSION_TABLE = "telemetry_version"

metadata = MetaData()
_TOKENS = Integer().with_variant(BigInteger, "postgresql")

generations = Table(
    "generations",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("key_hash", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("input_tokens", _TOKENS, nullable=False),
    Column("output_tokens", _TOKENS, nullable=False),
    Column("session_id", Text),
    Column("details", LargeBinary, nullable=False),
    Column("provider_name", Text),
    Column("error_type", Text),
    Column("finish_reason", Text),
    Column("app", Text),
    Index("generations_by_key", "key_hash", "id"),
    sqlite_with_rowid=False,
)


def _divide(table: Table, connection: Connection, **_: Any) -> None:
    """Says how the table is divided; told as an option of Table, it would make every process load SQLAlchemy's PostgreSQL."""
    if connection.dialect.name == "postgresql":
        table.dialect_options["postgresql"]["partition_by"] = "RANGE (id)"


_DEFAULT = DDL("CREATE TABLE generations_default PARTITION OF generations DEFAULT")  # type: ignore[no-untyped-call]
event.listen(generations, "before_create", _divide)
event.listen(generations, "after_create", _DEFAULT.execute_if(dialect="postgresql"))


def _sums() -> tuple[Column[int], ...]:
    """The measures that every roll-up has."""
    names = ("requests", "errors", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "cost", "byok_cost")
    return tuple(Column(name, BigInteger, nullable=False) for name in names)


model_day = Table(
    "model_day",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("model", Text, primary_key=True),
    *_sums(),
    sqlite_with_rowid=False,
)

key_day = Table(
    "key_day",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("endpoint_id", Text, primary_key=True),
    Column("provider_name", Text, nullable=False),
    *_sums(),
    sqlite_with_rowid=False,
)

app_day = Table(
    "app_day",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("app", Text, primary_key=True),
    Column("title", Text),
    *_sums(),
    sqlite_with_rowid=False,
)

task_day = Table(
    "task_day",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("task", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("routed", Integer, primary_key=True),
    *_sums(),
    sqlite_with_rowid=False,
)


def _endpoint_slots(name: str) -> Table:
    """What endpoints did in spans of one length."""
    counters = (
        *("successes", "errors", "rate_limited", "refused"),
        *("tool_requests", "tool_failures", "cache_hits", "output_tokens"),
    )
    return Table(
        name,
        metadata,
        Column("slot", Integer, primary_key=True),
        Column("endpoint_id", Text, primary_key=True),
        Column("model", Text, nullable=False),
        Column("provider_name", Text, nullable=False),
        *(Column(counter, BigInteger, nullable=False) for counter in counters),
        Column("distributions", LargeBinary),
        *(
            Column(counter, BigInteger, nullable=False, server_default=text("0"))
            for counter in ("structured_requests", "structured_failures")
        ),
        sqlite_with_rowid=False,
    )


endpoint_minute = _endpoint_slots("endpoint_minute")
endpoint_hour = _endpoint_slots("endpoint_hour")
endpoint_day = _endpoint_slots("endpoint_day")
