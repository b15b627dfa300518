"""Which requests are identical: those of one key, to one operation, for one model, with the same body but for white space (contract 4.5).

The order of properties counts, and a default that is written out is another body. Headers don't count.
"""

import hashlib

import msgspec


def cache_key(body: bytes, *, key_hash: str, operation: str, models: tuple[str, ...], stream: bool) -> bytes:
    """The key: a SHA-256. `body` is JSON that was parsed before."""
    scope = msgspec.json.encode((key_hash, operation, models, stream))
    return hashlib.sha256(scope + b"\n" + msgspec.json.format(body, indent=-1)).digest()
