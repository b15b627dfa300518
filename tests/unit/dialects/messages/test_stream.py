import json

import pytest
from grammar_messages import events, fold, fold_loosely
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.messages.request import parse
from trunkline.dialects.messages.stream import MessagesStream
from trunkline.errors import ApiError, UpstreamRefused
from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.usage import Cost, Usage

REQUEST = parse(b'{"model":"a/b","messages":[{"role":"user","content":"hi"}]}')
ENDPOINT = Endpoint(
    id="e",
    model="a/b",
    provider="p",
    provider_name="P",
    tag="p",
    dialect="messages",
    base_url="https://x",
    upstream_model="m",
    pricing=Pricing(),
)
USAGE = {
    **{"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0},
    **{"cache_creation": None, "service_tier": "standard", "inference_geo": "eu"},
}
START = {
    "type": "message_start",
    "message": {
        **{"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []},
        **{"stop_reason": None, "stop_sequence": None, "usage": USAGE},
    },
}
BLOCK = b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":null} }'
DELTA = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"H\\u00e9"}  }'
STOP = b'{"type":"content_block_stop","index":0 }'
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 7},
    "context_management": {"applied_edits": []},
}


def stream() -> MessagesStream:
    return MessagesStream(Identity("gen-1-x", "a/b", "P", 1), ENDPOINT, REQUEST)


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


TALK = [encoded(START), b'{"type": "ping"}', BLOCK, DELTA, STOP, encoded(END), b'{"type":"message_stop"}']


def test_events_keep_their_bytes_and_the_first_names_us() -> None:
    one = stream()
    out = one.feed(TALK)
    for payload in (BLOCK, DELTA, STOP):
        assert b"data: " + payload + b"\n\n" in out
    message = fold(out + one.finish(Usage(), Cost(total=10**12), metadata=b'{"a":1}'))
    assert (message["id"], message["model"], message["provider"]) == ("gen-1-x", "a/b", "P")
    assert message["content"][0]["text"] == "Hé"
    assert message["openrouter_metadata"] == {"a": 1}


def test_bug_10_usage_is_the_upstreams_with_the_cost() -> None:
    one = stream()
    one.feed(TALK)
    last = dict(events(one.finish(Usage(input_total=15, output_total=7), Cost(total=10**12))))["message_delta"]
    assert last["usage"] == {
        **{"input_tokens": 10, "output_tokens": 7, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0},
        **{"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "service_tier": "standard"},
        **{"inference_geo": "eu", "output_tokens_details": None, "server_tool_use": None, "cost": 1.0, "is_byok": False},
        "cost_details": {
            "upstream_inference_cost": 0.0,
            "upstream_inference_prompt_cost": 0.0,
            "upstream_inference_completions_cost": 0.0,
        },
    }
    assert last["context_management"] == {"applied_edits": []}


def test_the_facts() -> None:
    one = stream()
    one.feed(TALK)
    assert (one.done, one.committed, one.error) == (True, True, None)
    assert (one.finish_reason, one.native_finish_reason, one.upstream_id) == ("stop", "end_turn", "msg_1")
    assert (one.output_chars, one.usage["output_tokens"]) == (2, 7)  # type: ignore[index]
    assert one.end() == b""


def test_bug_16_nothing_goes_out_before_content() -> None:
    one = stream()
    assert one.feed(TALK[:3]) == b""
    assert not one.committed
    out = one.feed([DELTA])
    assert one.committed
    assert [name for name, _ in events(out)] == ["message_start", "content_block_start", "content_block_delta"]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"d"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"s"}}',
    ],
)
def test_what_is_content(payload: bytes) -> None:
    one = stream()
    assert payload in one.feed([encoded(START), payload])
    assert one.committed


def test_calls_are_known_with_their_arguments() -> None:
    one = stream()
    one.feed(
        [
            b'{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}',
            b'{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\""}}',
            b'{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":":1}"}}',
        ]
    )
    assert [(call.name, call.arguments) for call in one.tool_calls] == [("f", '{"a":1}')]


def test_bug_14_an_error_event_is_an_error_and_what_came_before_goes_out_with_it() -> None:
    one = stream()
    error = encoded({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    assert one.feed([*TALK[:4], error, *TALK[4:]]) == b""
    assert isinstance(one.error, UpstreamRefused)
    assert one.error.kind == "overloaded"
    out = list(events(one.fail(ApiError("provider_overloaded", "Overloaded"))))
    assert [name for name, _ in out][-2:] == ["content_block_delta", "error"]
    assert out[-1][1]["error"]["type"] == "overloaded_error"


@pytest.mark.parametrize("payload", [b"<html>", b'{"type":', b"\xff"])
def test_bug_25_garbage_is_an_error(payload: bytes) -> None:
    one = stream()
    assert one.feed([payload]) == b""
    assert one.error is not None
    assert one.error.kind == "malformed"


def test_bug_25_odd_events_do_no_harm() -> None:
    one = stream()
    out = one.feed([b"[1]", b"", b'{"x":1}', b'{"type":"content_block_delta"}', *TALK, b"x"])
    assert one.error is None
    assert fold_loosely([line[6:] for line in out.splitlines() if line.startswith(b"data: ") and b'delta"}' not in line])["id"] == "gen-1-x"


def test_a_done_marker_ends_it() -> None:
    one = stream()
    one.feed([DELTA, b"[DONE]"])
    assert one.done


def test_a_payload_of_several_lines_becomes_one() -> None:
    one = stream()
    out = one.feed([encoded(START), BLOCK, b'{"type":"content_block_delta",\n"index":0,\n"delta":{"type":"text_delta","text":"a"}}'])
    assert [name for name, _ in events(out)] == ["message_start", "content_block_start", "content_block_delta"]


def test_bug_15_without_a_stop_reason_there_is_none() -> None:
    one = stream()
    one.feed(TALK[:5])
    assert (one.done, one.finish_reason) == (False, None)


def test_a_whole_message_in_place_of_a_stream() -> None:
    body = {
        **START["message"],  # type: ignore[dict-item]
        "content": [
            {"type": "thinking", "thinking": "why", "signature": "s"},
            {"type": "text", "text": "a", "citations": None},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
        ],
        "stop_reason": "tool_use",
    }
    one = stream()
    message = fold(one.unstreamed(encoded(body)) + one.finish(Usage(), Cost()))
    assert message["content"] == body["content"]
    assert message["stop_reason"] == "tool_use"
    assert (one.done, one.committed, one.finish_reason) == (True, True, "tool_calls")


def test_a_whole_message_that_says_nothing_commits_nothing() -> None:
    one = stream()
    assert one.unstreamed(encoded({**START["message"], "content": []})) == b""  # type: ignore[dict-item]
    assert not one.committed


def test_an_error_in_place_of_a_stream() -> None:
    one = stream()
    assert one.unstreamed(b'{"type":"error","error":{"type":"api_error","message":"x"}}') == b""
    assert one.error is not None


@given(
    st.lists(
        st.binary(max_size=30) | st.sampled_from([*TALK, b'{"type":"message_start","message":3}', b'{"type":"message_delta","usage":[1]}'])
    )
)
def test_nothing_raises(sent: list[bytes]) -> None:
    one = stream()
    one.feed(sent)
    one.finish(Usage(), Cost())
    one.fail(ApiError("server", "x"))
