import msgspec
import pytest
from endpoints import PLAIN
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.reply import ResponsesReply, SeenCall
from trunkline.dialects.responses.request import parse
from trunkline.protocol.usage import Cost, Usage

CALL = b'{"type":"function_call","id":"fc_1","call_id":"call_0","name":"f","arguments":"{}","new":1.0}'
BODY = (
    b'{"id":"resp_1","object":"response","status":"completed","error":null,"output":[%b],"service_tier":"flex",'
    b'"usage":{"input_tokens":3,"output_tokens":1},"odd":"\\ud83d\\ude00"}'
) % CALL


def reply() -> ResponsesReply:
    return ResponsesReply(Identity("gen-1-x", "a/b", "P", 7), PLAIN, parse(b'{"model":"a/b","input":"hi"}'))


def test_an_answer_passes_with_its_output_and_its_facts() -> None:
    one = reply()
    one.decode(BODY)
    assert (one.error, one.empty, one.upstream_id, one.service_tier) == (None, False, "resp_1", "flex")
    assert (one.finish_reason, one.native_finish_reason, one.output_chars) == ("tool_calls", "completed", 2)
    assert (one.tool_calls, one.usage) == ([SeenCall("f", "{}")], {"input_tokens": 3, "output_tokens": 1})
    out = one.encode(Usage(input_total=3, output_total=1), Cost(10**12), metadata=b'{"attempt":1}')
    assert CALL in out
    got = msgspec.json.decode(out)
    assert (got["id"], got["usage"]["cost"], got["openrouter_metadata"]) == ("gen-1-x", 1.0, {"attempt": 1})
    assert got["odd"] == "\U0001f600"


def test_an_answer_in_loose_json_passes_too() -> None:
    one = reply()
    one.decode(b"\xef\xbb\xbf" + BODY.replace(b"\\ud83d\\ude00", b"\\ud83d"))
    assert one.error is None
    assert msgspec.json.decode(one.encode(Usage(), Cost()))["odd"] == "�"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "malformed"),
        (b'{"error":{"code":"rate_limit_exceeded","message":"m"}}', "rate_limit"),
        (b'{"status":"failed","output":[],"error":{"code":"server_error","message":"m"}}', "server"),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, kind: str) -> None:
    one = reply()
    one.decode(body)
    assert one.error is not None
    assert (one.error.kind, one.finish_reason) == (kind, None)


def test_an_answer_of_nothing_is_empty() -> None:
    one = reply()
    one.decode(b'{"status":"completed","output":[]}')
    assert one.empty
    cut = reply()
    cut.decode(b'{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[],"usage":{"output_tokens":16}}')
    assert not cut.empty
    assert cut.finish_reason == "length"


@given(st.binary(max_size=40))
def test_garbage_never_raises(data: bytes) -> None:
    one = reply()
    one.decode(data)
    assert one.error is not None
