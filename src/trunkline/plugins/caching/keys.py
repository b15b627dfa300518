"""Which requests are identical: those of one key, to one operation, for one model, with the same body but for white space (contract 4.5).

The order of properties counts, and a default that is written out is another body. Headers don't count, but for a region that a request has
to stay in: what came from elsewhere is no answer to that.
"""

import hashlib

import msgspec


def cache_key(body: bytes, *, key_hash: str, operation: str, models: tuple[str, ...], stream: bool, region: str = "") -> bytes:
    """The key: a SHA-256. `body` is JSON that was parsed before."""
    scope = msgspec.json.encode((key_hash, operation, models, stream, region))
    return hashlib.sha256(scope + b"\n" + msgspec.json.format(body, indent=-1)).digest()
