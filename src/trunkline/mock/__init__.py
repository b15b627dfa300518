"""The scripted upstream: a provider that says what it is told to say, and fails the way it is told to fail.

In comes HTTP/1.1 in the chat dialect (`POST …/chat/completions`, streaming or not, `GET …/models`, `GET /health`). `script` holds the
rules: which request gets which `Answer`, at which pace, with which `Fault`. `answers` turns a request and an answer into a `Reply`
(status, headers, SSE events), `faults` bends the reply or its bytes, `wire` lays it out as steps (send these bytes, wait, end), and
`server` walks the steps on a socket. `seen` keeps what came in, and when a client left. Everything but `server` and `thread` is pure, so
a fault is exact to the byte.

`trunkline mock` runs it for people, `thread.MockServer` for tests and demos, and the benchmark for paced streams. It imports nothing of
`dialects`: the shapes are written from the vendors' documentation, since a shared encoder would hide symmetrical bugs.
"""
