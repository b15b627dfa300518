"""Revision 0005 of the telemetry database: generations by kind of task and day.

The table begins empty: nobody looked at the task of generations that are there already.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0005"
down_revision = "0004"
_SUMS = ("requests", "errors", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "cost", "byok_cost")


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "task_day",
        Column("day", Integer, primary_key=True),
        Column("task", Text, primary_key=True),
        Column("model", Text, primary_key=True),
        Column("routed", Integer, primary_key=True),
        *(Column(name, BigInteger, nullable=False) for name in _SUMS),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """An older release would find a table that it does not know."""
    raise NotImplementedError("restore a backup instead")
