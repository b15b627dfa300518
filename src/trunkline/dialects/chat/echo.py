"""The chunk that shows a debugging caller what was sent upstream (contract 2.6)."""

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.translation import Identity

_encode = msgspec.json.Encoder().encode


def chunk(identity: Identity, body: bytes) -> bytes:
    """A chunk without choices; `body` is the upstream body as JSON, free of secrets."""
    return _chunk(identity, body, "chat.completion.chunk")


def text_chunk(identity: Identity, body: bytes) -> bytes:
    """The same in a stream of text completions (contract 5.3)."""
    return _chunk(identity, body, "text_completion")


def _chunk(identity: Identity, body: bytes, kind: str) -> bytes:
    return b"data: %b\n\n" % _encode(
        {
            "id": identity.id,
            "object": kind,
            "created": identity.created,
            "model": identity.model,
            "provider": identity.provider,
            "choices": [],
            "debug": {"echo_upstream_body": Raw(body)},
        }
    )
