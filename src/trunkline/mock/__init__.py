"""The scripted upstream: a provider that says what it is told to say, and fails the way it is told to fail.

In comes HTTP/1.1 in any of six dialects, told by the path: chat, responses, messages, gemini, converse, cohere; and embeddings, ranking,
pictures, speech and transcription (`dialects` is the table). `script` holds the rules: which request gets which `Answer`, at which pace,
with which `Fault`; a `Spell` is a fault by the clock. `reading` turns a request into a `Call`, `checks` says what the vendor would refuse,
`content` works out what is said, `writing` and `operations` give it the vendor's shape as a `Reply` (status, headers, events). `faults`
bends the reply or its bytes, `wire` lays it out as steps (send these bytes, wait, end), and `listener` walks the steps on a socket. `seen`
keeps what came in, and when a client left. Everything but `listener`, `fleet`, `server` and `thread` is pure, so a fault is exact to the
byte.

Signatures and encrypted reasoning are sealed (`seals`): the mock knows its own when they come back, and refuses altered and foreign ones.

`trunkline mock` runs it for people, `thread.MockServer` and `thread.MockFleet` for tests and demos, and the benchmark for paced streams. It
imports nothing of `dialects`: the shapes are written from the vendors' documentation, since a shared encoder would hide symmetrical bugs.
"""
