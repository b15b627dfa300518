"""Keys, the ledger, leases and settings: what must survive a power cut.

Money is pico-dollars, times are milliseconds since 1970, `day` is whole UTC days since 1970-01-01.
`api_keys.revision` grows by one with every change of any key, so that other processes find what changed by one index read.
`ledger` is append-only: a generation's `id` is charged once, whatever is replayed. `key_spend_day` sums it by key and day; spending with
the caller's own provider credential is counted apart. A row of `leases` is the part of a key's limit that one worker holds (running, or
charged but not yet in the ledger, or free); it counts only until `expires_ms`. `last` marks a worker that runs a request on a remainder
smaller than its estimate.
"""

from sqlalchemy import DDL, BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, event, text

REVISIONS = ("0001",)
VERSION_TABLE = "control_version"

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("deleted_ms", BigInteger),
    Column("spend_limit", BigInteger),
    Column("limit_reset", Text),
    Column("include_byok_in_limit", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger),
    Column("expires_ms", BigInteger),
    Column("creator_user_id", Text),
    Column("workspace_id", Text, nullable=False),
    Column("last_used_ms", BigInteger),
    Column("revision", BigInteger, nullable=False),
    Index("api_keys_by_revision", "revision"),
    Index("api_keys_by_workspace", "workspace_id", "created_ms"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key_hash", Text),
    Column("amount", BigInteger, nullable=False),
    Column("is_byok", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("note", Text),
    Index("ledger_by_kind", "kind", "id", sqlite_where=text("kind <> 'usage'")).ddl_if(dialect="sqlite"),
    sqlite_with_rowid=False,
)

_LEDGER_BY_KIND = DDL("CREATE INDEX ledger_by_kind ON ledger (kind, id) WHERE kind <> 'usage'")  # type: ignore[no-untyped-call]
"""The same index; told as an option of Index, it would make every process load SQLAlchemy's PostgreSQL."""
event.listen(ledger, "after_create", _LEDGER_BY_KIND.execute_if(dialect="postgresql"))

key_spend_day = Table(
    "key_spend_day",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("byok_amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

leases = Table(
    "leases",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("worker_id", Text, primary_key=True),
    Column("remaining", BigInteger, nullable=False),
    Column("last", Boolean, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
