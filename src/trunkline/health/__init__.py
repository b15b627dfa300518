"""What is known of endpoints right now, from this process's own traffic.

In: the outcome of every attempt, told by `inference`. Out: a `HealthSnapshot` that `routing` reads. `outages` remembers for 30 s which
endpoints failed.
"""
