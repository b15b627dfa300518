import msgspec
import pytest

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.passage import Patch, last_changes
from trunkline.dialects.responses.request import parse
from trunkline.protocol.usage import Cost, Usage

IDENTITY = Identity("gen-1-x", "a/b", "P", 7)


def patched(response: bytes, **fields: object) -> bytes:
    return bytes(Patch(IDENTITY, parse(msgspec.json.encode({"model": "a/b", "input": "hi", **fields}))).apply(response))


def test_the_gateway_names_itself_and_the_rest_keeps_its_bytes() -> None:
    given = (
        b'{"id":"resp_1","model":"m-2025","created_at":1,"status":"completed","output":[{"b":1.0,  "a":2}],"new":{"x":1e2},"billing":{}}'
    )
    out = patched(given)
    assert b'"output":[{"b":1.0,  "a":2}]' in out
    assert b'"new":{"x":1e2}' in out
    assert b"billing" not in out
    got = msgspec.json.decode(out)
    assert (got["id"], got["model"], got["provider"], got["created_at"], got["status"]) == ("gen-1-x", "a/b", "P", 7, "completed")
    assert (got["incomplete_details"], got["error"], got["tools"]) == (None, None, [])


def test_what_the_upstream_was_not_told_is_the_callers() -> None:
    given = b'{"metadata":{},"safety_identifier":"hash-of-us","user":"us","store":true,"previous_response_id":"resp_0"}'
    got = msgspec.json.decode(patched(given, metadata={"k": "v"}, safety_identifier="mine", user="me"))
    assert (got["metadata"], got["safety_identifier"], got["user"], got["store"], got["previous_response_id"]) == (
        {"k": "v"},
        "mine",
        None,
        False,
        None,
    )


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        patched(b"[]")


def test_the_end_adds_usage_and_metadata() -> None:
    assert last_changes(Usage(), Cost(), None).keys() == {"usage"}
    assert last_changes(Usage(), Cost(), b"{}").keys() == {"usage", "openrouter_metadata"}
