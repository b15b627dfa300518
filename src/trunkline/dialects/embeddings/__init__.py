"""Embeddings (contract 5.4): `request` reads what a caller sends, `answer` writes what it gets, and each other module is a form in which
upstreams offer the operation.

Vectors stay JSON text from upstream to caller: a list of numbers or base64 of little-endian 32-bit floats. `vectors` turns one into the
other where a caller asks for what the upstream does not give.
"""
