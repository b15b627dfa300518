"""The Responses dialect (OpenAI's, in OpenRouter's stateless superset, contract 5.1), on both sides of the gateway.

A caller's request goes `request.parse` -> `turns.conversation` -> another dialect; what comes back goes through `encoder`, which writes
the events of a stream or a whole response. For an upstream that speaks this dialect, `compose` writes the body of a `Conversation` and
`decoder` reads the answer. Where both sides speak it, the caller's keys are spliced (`prepare`) and the answer keeps its bytes (`stream`,
`reply`). Nothing is stored: a request that refers to an earlier response, or asks to keep this one, is refused.

    request    body -> ResponsesRequest           fields: the top level; items: what `input` holds, checked and counted
    turns      ResponsesRequest -> Conversation   parts: content parts as blocks; offers: tools, choice, form of the answer
    encoder    events -> events of the client     writing: one output item in the making; document: the response object
    compose    Conversation -> upstream body      history: turns as items; demands: tools, choice, reasoning; support: what is taken
    decoder    upstream payloads -> events        slots: items and parts while they are read; verdict: how it ended
    prepare    ResponsesRequest -> upstream body  spliced, its input and tools byte for byte
    stream     payloads -> events of the client   passed on; reply: a whole answer; passage: what both of them patch
    citations  annotations of this dialect and of the chat wire
    usage      Usage and Cost as this dialect words them
    envelope   ApiError -> body
    address    the URL
"""
