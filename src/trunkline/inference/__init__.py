"""The life of one inference request, from accepted bytes to the last byte of the reply.

Nouns: a `Call` is a request as it was accepted. An `Exchange` is what becomes known of it on the way: who asks, what is asked, the plan,
the hold on the budget, the attempts. An *attempt* is one try at one endpoint; it succeeds when the first content is there, and until then
the caller sees nothing of it. A `Reply` is the way back to the client.

`pipeline` tells the story; `attempts` walks through the plan; `relay` passes a stream on; `watch` looks after the client meanwhile;
`ledger` measures and records. With `hedging` a second endpoint is asked beside a slow one: `race` has both run, `losers` sees off the one
that is slower. `api.inference` calls `Pipeline.run` and turns its errors into the caller's dialect.
"""
