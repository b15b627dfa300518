"""PostgreSQL as the second engine: loaded by `storage.engines` only when TRUNKLINE_DATABASE_URL asks for it, with the extra `postgres`.

Both databases are schemas of one (`control`, `telemetry`). `driver` connects (asyncpg) and tells outages from mistakes, `connection` lends
an asynchronous connection to a thread as a `storage.connection.Connection`, `databases` makes engines and brings the schemas up to date,
`partitions` divides a table by day.

A batch goes into its table by COPY and, only when it turns out to hold known rows, again without them: that costs the server less than a
temporary table for every batch, and keeps the sums in one place for both engines. An id is unique in all partitions together, since it
tells the day that its row belongs to.
"""
