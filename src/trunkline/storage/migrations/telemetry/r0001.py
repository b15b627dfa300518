"""Revision 0001 of the telemetry database: the first release."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text

revision = "0001"
down_revision = None
_TOKENS = Integer().with_variant(BigInteger(), "postgresql")


def upgrade() -> None:
    """Creates every table."""
    _create_generations()
    _create_model_day()
    _create_key_day()
    _create_app_day()


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
        Column("input_tokens", _TOKENS, nullable=False),
        Column("output_tokens", _TOKENS, nullable=False),
        Column("session_id", Text),
        Column("details", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("generations_by_key", "generations", ["key_hash", "id"])


def _create_model_day() -> None:
    op.create_table(
        "model_day",
        Column("day", Integer, primary_key=True),
        Column("model", Text, primary_key=True),
        Column("requests", BigInteger, nullable=False),
        Column("errors", BigInteger, nullable=False),
        Column("prompt_tokens", BigInteger, nullable=False),
        Column("completion_tokens", BigInteger, nullable=False),
        Column("reasoning_tokens", BigInteger, nullable=False),
        Column("cached_tokens", BigInteger, nullable=False),
        Column("cost", BigInteger, nullable=False),
        Column("byok_cost", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_key_day() -> None:
    op.create_table(
        "key_day",
        Column("key_hash", Text, primary_key=True),
        Column("day", Integer, primary_key=True),
        Column("model", Text, primary_key=True),
        Column("endpoint_id", Text, primary_key=True),
        Column("provider_name", Text, nullable=False),
        Column("requests", BigInteger, nullable=False),
        Column("errors", BigInteger, nullable=False),
        Column("prompt_tokens", BigInteger, nullable=False),
        Column("completion_tokens", BigInteger, nullable=False),
        Column("reasoning_tokens", BigInteger, nullable=False),
        Column("cached_tokens", BigInteger, nullable=False),
        Column("cost", BigInteger, nullable=False),
        Column("byok_cost", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_app_day() -> None:
    op.create_table(
        "app_day",
        Column("day", Integer, primary_key=True),
        Column("model", Text, primary_key=True),
        Column("app", Text, primary_key=True),
        Column("title", Text),
        Column("requests", BigInteger, nullable=False),
        Column("errors", BigInteger, nullable=False),
        Column("prompt_tokens", BigInteger, nullable=False),
        Column("completion_tokens", BigInteger, nullable=False),
        Column("reasoning_tokens", BigInteger, nullable=False),
        Column("cached_tokens", BigInteger, nullable=False),
        Column("cost", BigInteger, nullable=False),
        Column("byok_cost", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """There is no release before this one."""
    raise NotImplementedError("restore a backup instead")
