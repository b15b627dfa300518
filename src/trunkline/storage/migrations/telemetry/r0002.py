"""Revision 0002 of the telemetry database: columns that lists are narrowed by, and on PostgreSQL `generations` by UTC day of its id.

The columns are NULL in the rows that are there, which costs nothing; their values would have to be unpacked from each row.
The table of revision 0001 becomes the partition `generations_earlier` as it is, up to the end of today (UTC): its rows are read once to
check their ids, and none is written but those with an id of a later time. SQLite has one table as before.
"""

import time

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, text

revision = "0002"
down_revision = "0001"
_MS_PER_DAY = 86_400_000
_NARROWING = ("provider_name", "error_type", "finish_reason", "app")


def upgrade() -> None:
    """Adds the columns, and divides the table."""
    for name in _NARROWING:
        op.add_column("generations", Column(name, Text))
    if op.get_bind().dialect.name == "postgresql":
        _put_aside()
        _create_generations()
        _take_in()


def _put_aside() -> None:
    op.execute("ALTER TABLE generations RENAME TO generations_earlier")
    op.execute("ALTER INDEX generations_pkey RENAME TO generations_earlier_pkey")
    op.execute("ALTER INDEX generations_by_key RENAME TO generations_earlier_by_key")


def _create_generations() -> None:
    op.create_table(
        "generations",
        Column("id", LargeBinary, primary_key=True),
        Column("key_hash", Text, nullable=False),
        Column("workspace_id", Text, nullable=False),
        Column("model", Text, nullable=False),
        Column("endpoint_id", Text, nullable=False),
        Column("status", Integer, nullable=False),
        Column("cost", BigInteger, nullable=False),
        Column("input_tokens", BigInteger, nullable=False),
        Column("output_tokens", BigInteger, nullable=False),
        Column("session_id", Text),
        Column("details", LargeBinary, nullable=False),
        *(Column(name, Text) for name in _NARROWING),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("generations_by_key", "generations", ["key_hash", "id"])
    op.execute("CREATE TABLE generations_default PARTITION OF generations DEFAULT")


def _take_in() -> None:
    tomorrow = (time.time_ns() // 1_000_000 // _MS_PER_DAY + 1) * _MS_PER_DAY
    bound = f"'\\x{tomorrow.to_bytes(6, 'big').hex()}'"
    late = f"DELETE FROM generations_earlier WHERE id >= {bound} RETURNING *"  # noqa: S608 - a number of ours
    op.execute(f"WITH moved AS ({late}) INSERT INTO generations_default SELECT * FROM moved")  # noqa: S608
    if op.get_bind().execute(text("SELECT 1 FROM generations_earlier LIMIT 1")).first() is None:
        op.drop_table("generations_earlier")
    else:
        op.execute(f"ALTER TABLE generations ATTACH PARTITION generations_earlier FOR VALUES FROM (MINVALUE) TO ({bound})")


def downgrade() -> None:
    """An older release reads this schema, too, but refuses it by its number."""
    raise NotImplementedError("restore a backup instead")
