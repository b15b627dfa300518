"""Wire formats, sans-io: what clients send becomes what upstreams accept, and what upstreams answer becomes what clients expect.

One package for each dialect. `chat` (OpenAI's Chat Completions, in OpenRouter's superset) is spoken on both sides: requests keep the
bytes of their messages and tools (docs/architecture.md, decision 3), replies are rewritten in place. In come request bodies, endpoints
and the payloads of events; out go bytes and plain facts (finish reasons, raw usage, errors). Nothing here opens a socket, reads a clock
or knows a vendor: `protocol.quirks` says how an endpoint deviates. `inference` is the caller. `loose` is the reader for JSON that strict
parsers refuse, `tiers` knows the vendors' words for the tier that served.
"""
