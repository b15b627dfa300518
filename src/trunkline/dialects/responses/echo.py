"""The event that shows a debugging caller what was sent upstream (contract 2.6)."""

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.translation import Identity

_encode = msgspec.json.Encoder().encode


def event(_identity: Identity, body: bytes) -> bytes:
    """`response.debug`, which stands before the response and has the number 0; `body` is the upstream body as JSON, free of secrets."""
    told = {"type": "response.debug", "debug": {"echo_upstream_body": Raw(body)}, "sequence_number": 0}
    return b"event: response.debug\ndata: %b\n\n" % _encode(told)
