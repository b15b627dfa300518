"""Whole answers kept for identical requests (contract 4.5).

wishes   what the headers of a request say: keep, for how long, begin anew
keys     which requests are identical
store    where answers lie: behind an interface, here in memory
replay   a kept answer as the answer to another request: new id and time, no usage, no cost

`inference.cached` drives it. Several workers each remember their own; requests under way are not waited for.
"""
