"""The chat dialect (OpenAI Chat Completions in OpenRouter's superset, contract section 2), on both sides of the gateway.

A request goes `request.parse` -> `prepare.compile(endpoint).splice(request)` -> the upstream. The answer comes back through
`stream.ChatStream` or `reply.ChatReply`, which share one reader of choices (`choice`), so that a stream folds to the same reply. Errors
of upstreams are read by `refusals.classify`, errors for callers are written by `envelope.render`. `inference` calls all of it.

    request    body -> ChatRequest               fields, messages, preferences: its vocabulary and checks
    prepare    ChatRequest + Endpoint -> body    effort, history, tools: what quirks change
    stream     payloads -> events                splice: the fast way for plain text deltas
    reply      body -> body
    choice     one choice, streamed or whole     reasoning, calls, tools, finish: how its parts are normalised; account: the facts beside
    refusals   status, headers, body -> UpstreamRefused
    envelope   ApiError -> body
"""
