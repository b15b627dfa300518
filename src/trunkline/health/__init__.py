"""What is known of endpoints right now: which fail, which rest, and how fast they are.

In: the outcome of every attempt and every finished generation, told by `inference` and the recorder. Out: a `HealthSnapshot` that
`routing` reads. `monitor` holds it together: a `breaker` for each endpoint (outages, ejection, probes), `cooldowns` of credentials, the
`headroom` that rate-limit headers tell of, and the percentiles of the last five minutes (`live`). `retries` bounds repetitions at one
endpoint, `hedges` attempts beside slow ones. Workers give each other hints on the `board`. `measurements` reads what all processes measured
from storage; `figures` turns it into what people see of endpoints and models, and `benchmarks` compares imported scores. `stickiness`
remembers which endpoint served a conversation.
"""
