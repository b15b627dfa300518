"""Where facts are kept: two SQLite files in the data folder, their tables, migrations, backup and locks.

`engines.open_storage(settings)` checks or creates both databases and returns a `Storage`: async SQLAlchemy engines for cold paths (keys,
settings, pages) and raw connections for the two hot ones (the batch writer and the leases). `schema` holds the tables, `versions` decides
at start whether a database is fresh, current, older or newer, `migrate` runs Alembic in a child process, `backup` copies and restores.
Called by `app` and `cli`; the SQL itself lives in the `*store.py` files of `accounts` and `analytics`.
"""
