"""Alembic runs this file for each command: it applies revisions on the connection that `storage.migrate` opened."""

from alembic import context

from trunkline.storage.sqlite import WRITING

_attributes = context.config.attributes
_connection = _attributes["connection"].execution_options(**WRITING)
context.configure(connection=_connection, version_table=_attributes["version_table"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
