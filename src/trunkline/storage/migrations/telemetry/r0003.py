"""Revision 0003 of the telemetry database: what endpoints did by minute, hour and day.

The tables begin empty: generations that are there already are not read again.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text

revision = "0003"
down_revision = "0002"
_COUNTERS = (
    *("successes", "errors", "rate_limited", "refused"),
    *("tool_requests", "tool_failures", "cache_hits", "output_tokens"),
)


def upgrade() -> None:
    """Creates the tables."""
    for name in ("endpoint_minute", "endpoint_hour", "endpoint_day"):
        op.create_table(
            name,
            Column("slot", Integer, primary_key=True),
            Column("endpoint_id", Text, primary_key=True),
            Column("model", Text, nullable=False),
            Column("provider_name", Text, nullable=False),
            *(Column(counter, BigInteger, nullable=False) for counter in _COUNTERS),
            Column("distributions", LargeBinary),
            sqlite_with_rowid=False,
        )


def downgrade() -> None:
    """An older release would find tables that it does not know."""
    raise NotImplementedError("restore a backup instead")
