"""The chat dialect (OpenAI Chat Completions in OpenRouter's superset, contract section 2), on both sides of the gateway.

Between a chat client and a chat upstream a request passes through: `request.parse` -> `prepare.compile(endpoint).splice(request)` -> the
upstream. The answer comes back through `stream.ChatStream` or `reply.ChatReply`, which share one reader of choices (`choice`), so that a
stream folds to the same reply. Where only one side speaks chat, the way leads through `dialects.hub`: `turns` and `encoder` serve chat
clients, `compose` and `decoder` chat upstreams. They use the steps of `prepare` and the reader of `choice` too, so that each quirk is known
in one place. Errors of upstreams are read by `refusals.classify`, errors for callers are written by `envelope.render`.

    request    body -> ChatRequest               fields, messages, preferences: its vocabulary and checks; cursor: flat tools
    prepare    ChatRequest + Endpoint -> body    effort, history, narration, tools: what quirks change
    stream     payloads -> events                splice, plain_event: the fast ways for plain text
    reply      body -> body                      plain: the fast way
    choice     one choice, streamed or whole     reasoning, calls, tools, finish: how its parts are normalised; account: the facts beside
    turns      ChatRequest -> Conversation       parts, thoughts, offers, wishes: content, reasoning, tools and the rest, both ways
    compose    Conversation -> body              rounds: calls and results in the order that servers demand
    decoder    payloads, body -> hub events      blocks: where blocks begin and end; brief_event: the fast way
    encoder    hub events -> chunks, body        annotations: the citations that clients get
    address    Endpoint -> URL
    envelope   ApiError -> body
"""
