"""Where facts are kept: two databases (money and keys; telemetry), their tables, migrations, backup and locks, on one of two engines.

SQLite keeps them as two files of the data folder, PostgreSQL (TRUNKLINE_DATABASE_URL) as two schemas of one database.
`engines.open_storage(settings)` checks or creates both and returns a `Storage`: async SQLAlchemy engines for cold paths (keys, settings,
pages) and raw connections for the two hot ones (the batch writer and the leases). `connection` tells what an engine must give, `sqlite` and
`postgres` give it. `schema` holds the tables, `versions` decides at start whether a database is fresh, current, older or newer, `migrate`
runs Alembic in a child process, `backup` copies and restores files.
Called by `app` and `cli`; the SQL itself lives in the `*store.py` files of `accounts` and `analytics`, one text for both engines.
"""
