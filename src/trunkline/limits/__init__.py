"""May they: whether a key may spend what a request will probably cost.

`budgets.Budgets` reserves before the request and settles once after it, in memory wherever it can: each worker borrows slices of a key's
limit from the database (`accounts.leases_store`), and gives back what it does not use. In come the Principal and an estimate in
pico-dollars; out goes a Hold, or an ApiError 402 that names the limit. Called by `inference`; the charge itself is written by `metering`
through `accounts.ledger_store`.
"""
