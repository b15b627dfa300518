"""Keys and money: the rules, and in the `*store.py` files the SQL.

`keys.Keys` creates, lists, changes and deletes API keys (contract 1.2 and 1.3); `starting_keys` makes the ones that exist from the start.
`ledger_store` charges generations exactly once and sums spending by key and day; `leases_store` lends parts of a key's limit to workers.
Money is pico-dollars, times are milliseconds since 1970, days are whole UTC days since 1970-01-01 (`windows`).
Called by `auth` (look-up), `limits` (leases), `metering` (settling), `api` and `cli` (management).
"""
