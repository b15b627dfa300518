"""The debug chunk of a stream (contract 2.6)."""

import msgspec

from trunkline.dialects.chat.echo import chunk, text_chunk
from trunkline.dialects.hub.translation import Identity

IDENTITY = Identity("gen-1", "a/m", "Acme", 7)


def test_a_chunk_without_choices_carries_the_body() -> None:
    data = chunk(IDENTITY, b'{"model": "m"}')
    assert data.startswith(b"data: {") and data.endswith(b"}\n\n")
    assert msgspec.json.decode(data[6:]) == {
        "id": "gen-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "a/m",
        "provider": "Acme",
        "choices": [],
        "debug": {"echo_upstream_body": {"model": "m"}},
    }


def test_text_completions_have_their_own_kind_of_object() -> None:
    assert msgspec.json.decode(text_chunk(IDENTITY, b"{}")[6:])["object"] == "text_completion"
