"""The debug event of a response (contract 2.6)."""

import msgspec

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.echo import event


def test_the_event_stands_before_the_response() -> None:
    name, data = event(Identity("gen-1", "a/m", "Acme", 7), b'{"model": "m"}').removesuffix(b"\n\n").split(b"\n")
    assert name == b"event: response.debug"
    assert msgspec.json.decode(data.removeprefix(b"data: ")) == {
        "type": "response.debug",
        "debug": {"echo_upstream_body": {"model": "m"}},
        "sequence_number": 0,
    }
