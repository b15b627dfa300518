"""The Messages dialect (Anthropic's, in OpenRouter's superset, contract 5.2), on both sides of the gateway.

A client's request goes `request.parse` -> `turns.conversation` -> an upstream of another dialect, and the answer comes back as events that
`encoder` writes as a legal Anthropic stream or body. A conversation of another dialect goes `compose` -> the upstream, and `decoder` reads
the answer. Where both sides speak Messages, `prepare` splices the request and `stream` and `reply` patch the answer.

    fields      top-level keys                     request   body -> MessagesRequest; blocks: content blocks, checked and counted
    turns       MessagesRequest -> Conversation    offers    tools and tool_choice, inbound
    encoder     events -> client                   sequence  blocks one after the other; content: blocks of a whole body
    usage       Usage -> `usage`                   envelope  ApiError -> body
    compose     Conversation -> body               history, media, tools, schemas, thinking, structure, marks: its parts
    decoder     payloads -> events                 opened: one running block; account: usage of several events
    prepare     MessagesRequest -> body            stream, reply: the answer patched; facts: what is read beside
    address     where calls go                     tokens: count_tokens
    stops, citations, seal, arguments, frames      stop reasons, citations, reasoning of other families, tool inputs, events as bytes
"""
