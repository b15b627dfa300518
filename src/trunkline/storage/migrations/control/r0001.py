"""Revision 0001 of the control database: the first release."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Text, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates every table."""
    _create_api_keys()
    _create_ledger()
    _create_key_spend_day()
    _create_leases()
    _create_settings()


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
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
    )
    op.create_index("api_keys_by_revision", "api_keys", ["revision"])
    op.create_index("api_keys_by_workspace", "api_keys", ["workspace_id", "created_ms"])


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        Column("id", LargeBinary, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("key_hash", Text),
        Column("amount", BigInteger, nullable=False),
        Column("is_byok", Boolean, nullable=False),
        Column("created_ms", BigInteger, nullable=False),
        Column("note", Text),
        sqlite_with_rowid=False,
    )
    other = text("kind <> 'usage'")
    op.create_index("ledger_by_kind", "ledger", ["kind", "id"], sqlite_where=other, postgresql_where=other)


def _create_key_spend_day() -> None:
    op.create_table(
        "key_spend_day",
        Column("key_hash", Text, primary_key=True),
        Column("day", Integer, primary_key=True),
        Column("amount", BigInteger, nullable=False),
        Column("byok_amount", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_leases() -> None:
    op.create_table(
        "leases",
        Column("key_hash", Text, primary_key=True),
        Column("worker_id", Text, primary_key=True),
        Column("remaining", BigInteger, nullable=False),
        Column("last", Boolean, nullable=False),
        Column("expires_ms", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_settings() -> None:
    op.create_table(
        "settings",
        Column("name", Text, primary_key=True),
        Column("value", Text, nullable=False),
    )


def downgrade() -> None:
    """There is no release before this one."""
    raise NotImplementedError("restore a backup instead")
