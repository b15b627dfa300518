"""The nouns that every room shares, as frozen Structs and pure functions over them.

Nothing here does I/O, reads a clock or knows a vendor. A room that needs a noun imports it from its module:
`money` (pico-dollars), `identity` (generation ids, key hashes), `principal` (who is calling), `catalogue` (authors, models, providers,
endpoints, prices), `quirks` (how an endpoint differs from its dialect), `routing` (facts, preferences, plan, reasons), `health`
(what is known of endpoints now), `usage` (tokens in normal form) and `generation` (the record of one metered request).
"""
