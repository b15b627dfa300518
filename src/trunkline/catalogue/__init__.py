"""What can be called: authors, models, endpoints, prices and variants.

In come the built-in data (`data/*.toml`, one file an author), what a sync wrote into the data folder, the operator's `trunkline.toml` (same
keys; later wins) and the environment, which decides what is available. Out goes one immutable `Catalogue`, replaced as a whole on reload:
the pipeline resolves slugs with it, `routing` takes its endpoints, `api` and `pages` show it.

`load` merges and checks. `config` reads the operator's file, `entries` turns tables into Structs with the help of `prices` and
`vocabulary`, `first_seen` remembers when a model without a date appeared. `catalogue` answers questions. `query` and `listing` serve
`GET /models`, `statistics` names the figures that others measure and hand in, `views` gives the wire shapes, `rss` the feed.

`sync` is the work of `trunkline catalog sync`: `openrouter_feed` and `models_dev_feed` read a public list into the `Feed` of `feeds`,
`differences` says what changes, `synced` writes it down.
"""
