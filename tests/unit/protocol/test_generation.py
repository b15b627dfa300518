"""The record survives the form in which the spool keeps it."""

import msgspec

from trunkline.protocol.generation import AttemptRecord, GenerationRecord


def test_a_record_is_the_same_after_msgpack() -> None:
    record = GenerationRecord(
        id=bytes(range(16)),
        created_ms=1,
        key_hash="k",
        workspace_id="w",
        model="a/b",
        endpoint_id="e",
        provider_name="P",
        api_type="completions",
        cost=2**62,
        attempts=(AttemptRecord("P", "e", "a/b", 200, 12),),
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=GenerationRecord) == record
