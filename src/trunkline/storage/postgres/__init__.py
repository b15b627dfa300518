"""PostgreSQL as the second engine: loaded by `storage.engines` only when TRUNKLINE_DATABASE_URL asks for it, with the extra `postgres`.

Both databases are schemas of one (`control`, `telemetry`). `driver` connects (asyncpg) and tells outages from mistakes, `connection` lends
an asynchronous connection to a thread as a `storage.connection.Connection`, `databases` makes engines and brings the schemas up to date.
"""
