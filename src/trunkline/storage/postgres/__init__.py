"""PostgreSQL as the second engine: loaded by `storage.engines` only when TRUNKLINE_DATABASE_URL asks for it, with the extra `postgres`.

Both databases are schemas of one (`control`, `telemetry`). `driver` connects (asyncpg) and tells outages from mistakes, `connection` lends
an asynchronous connection to a thread as a `storage.connection.Connection`, `databases` makes engines and brings the schemas up to date.

A batch goes into its table by COPY and, only when it turns out to hold known rows, again without them: that costs the server less than a
temporary table for every batch, and keeps the sums in one place for both engines. `generations` is a plain table; should it be partitioned
by time one day, it can become the first partition as it is, since its key is ordered by time.
"""
