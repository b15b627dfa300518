"""Wire formats, sans-io: what clients send becomes what upstreams accept, and what upstreams answer becomes what clients expect.

One package for each dialect; they know `hub`, which lies between any two of them, and not each other. `chat` (OpenAI's Chat Completions, in
OpenRouter's superset), `responses` and `messages` are spoken on both sides: between equal ones requests keep the bytes of their messages
and tools, and answers are rewritten in place. `gemini`, `converse` and `cohere` are spoken to upstreams only. `embeddings`, `rerank`,
`images`, `speech` and `transcription` are operations, which are answered at once (`oneshot`). In come request bodies, endpoints and the
payloads of events; out go bytes and plain facts (finish reasons, raw usage, errors). Nothing here opens a socket, reads a clock or knows a
vendor: `protocol.quirks` says how an endpoint deviates. `inference` is the caller.

All may use the modules beside the packages: `body` checks what callers send, `loose` reads JSON that strict parsers refuse, `refusals`
reads upstreams' errors and `envelope` writes those for callers, `deviations` gives keys an endpoint's names, `tiers` knows the vendors'
words for the tier that served.
"""
