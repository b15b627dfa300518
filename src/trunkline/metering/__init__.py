"""What a generation used, what it costs, and the record of it that must never be lost or counted twice.

In comes the usage object of an upstream, at the end of a request: `usage` brings it to normal form (`typed_usage` is its fast way),
`cost` prices it, `estimates` guesses tokens before a request and where an upstream says nothing.
`recorder` takes the finished `GenerationRecord`: one write to the `spool` (files in `segments`, whose living owners `ownership` tells), so
that it survives the end of this process. From there `writer_thread` takes what waits in the `backlog`, lets the `judge` look at the
answer (`tool_calls`: its calls, `structured`: the form that was asked for, both by the `schemas` of callers), and has `batches` write
ledger and generation store; of several workers `one_writer` lets one write for all (`writer_lock` says which, `handover` and `parcels` are
the way to it, and it stores them in `turns`). `recorder` also finds a generation by id for `GET /generation`, which `view` renders, and
counts what could not be kept, with a `tally` over all workers.

Callers: `inference` before and after each request, `api` for `GET /generation`, `app` to start and drain.
"""
