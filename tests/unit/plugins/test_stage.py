"""Notes as the router's metadata has them."""

import msgspec

from trunkline.plugins.compression import Compression
from trunkline.plugins.stage import Note, Stage


def test_a_note_says_only_what_there_is_to_say() -> None:
    assert msgspec.json.encode(Note(type="plugin", name="file-parser")) == b'{"type":"plugin","name":"file-parser"}'
    note = Note(type="guardrail", name="content-filter", summary="redacted", data={"flagged": True}, guardrail_scope="api-key")
    assert msgspec.json.decode(msgspec.json.encode(note)) == {
        "type": "guardrail",
        "name": "content-filter",
        "summary": "redacted",
        "data": {"flagged": True},
        "guardrail_scope": "api-key",
    }


def test_a_stage_is_what_has_its_form() -> None:
    stage: Stage = Compression(lambda _model, size: size)
    assert stage.revises is False
