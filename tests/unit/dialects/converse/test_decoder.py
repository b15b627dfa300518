"""Frames and whole answers as events."""

from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.converse.decoder import ConverseDecoder
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation, Format, Tool, Turn
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Finish, Start, UsageSeen
from trunkline.dialects.refusals import classify
from trunkline.protocol.quirks import Quirks

USAGE = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
FORM = Format(kind="json_schema", schema=Raw(b'{"type":"object","properties":{"a":{}}}'))


def decoder(quirks: Quirks | None = None, **changes: Any) -> ConverseDecoder:
    conversation = Conversation(turns=(Turn(role="user"),), **changes)
    return ConverseDecoder(replace(PLAIN, quirks=quirks or Quirks()), conversation, seed="gen-1")


def frame(kind: str, **fields: Any) -> bytes:
    return msgspec.json.encode({kind: {**fields, "p": "abc"}})


def delta(index: int, **fields: Any) -> bytes:
    return frame("contentBlockDelta", contentBlockIndex=index, delta=fields)


def begun(index: int, **fields: Any) -> bytes:
    return frame("contentBlockStart", contentBlockIndex=index, start=fields)


def ended(index: int) -> bytes:
    return frame("contentBlockStop", contentBlockIndex=index)


BEGIN, METADATA = frame("messageStart", role="assistant"), frame("metadata", usage=USAGE, metrics={"latencyMs": 1})


def stop(reason: str = "end_turn", **fields: Any) -> bytes:
    return frame("messageStop", stopReason=reason, **fields)


def streamed(*frames: bytes, quirks: Quirks | None = None, **changes: Any) -> Answer:
    one = decoder(quirks, **changes)
    return fold(one.feed(frames) + one.close())


def whole(content: list[Any], reason: str = "end_turn", quirks: Quirks | None = None, **changes: Any) -> Answer:
    body = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason, "usage": USAGE}
    return fold(decoder(quirks, **changes).whole(msgspec.json.encode(body)))


def shown(answer: Answer) -> list[Any]:
    return [(block.kind, block.id, block.name, {kind: "".join(parts) for kind, parts in block.parts.items()}) for block in answer.blocks]


def test_a_stream_of_text() -> None:
    one = decoder()
    events = one.feed([BEGIN, delta(0, text="Hel"), delta(0, text=""), delta(0, text="lo"), ended(0), stop()])
    assert events == [
        Start(None),
        BlockStart(0, "text"),
        Delta(0, "text", "Hel"),
        Delta(0, "text", "lo"),
        BlockStop(0),
        Finish("stop", "end_turn"),
    ]
    assert not one.done
    assert one.feed([METADATA, delta(0, text="late")]) == [UsageSeen(USAGE)]
    assert one.done
    assert one.close() == []


def test_stream_and_whole_are_the_same() -> None:
    answers = (
        streamed(
            *(BEGIN, delta(0, reasoningContent={"text": "hm"}), delta(0, reasoningContent={"signature": "sig"}), ended(0)),
            *(delta(1, reasoningContent={"redactedContent": "RW13"}), ended(1), delta(2, text="a"), ended(2)),
            *(begun(3, toolUse={"toolUseId": "t1", "name": "f"}), delta(3, toolUse={"input": '{"a":'}), delta(3, toolUse={"input": "1}"})),
            *(ended(3), stop("tool_use"), METADATA),
        ),
        whole(
            [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
                {"reasoningContent": {"redactedContent": "RW13"}},
                {"text": "a"},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
            ],
            "tool_use",
        ),
    )
    for answer in answers:
        assert shown(answer) == [
            ("reasoning", None, "", {"text": "hm", "signature": "sig"}),
            ("reasoning", None, "", {"data": "Emw"}),
            ("text", None, "", {"text": "a"}),
            ("tool_call", "t1", "f", {"arguments": '{"a":1}'}),
        ]
        assert [block.format for block in answer.blocks[:2]] == ["anthropic-claude-v1"] * 2
        assert answer.finish == Finish("tool_calls", "tool_use")
        assert answer.usage == USAGE


@pytest.mark.parametrize(
    ("quirks", "family"),
    [(Quirks(), "anthropic-claude-v1"), (Quirks(thinking="level"), "unknown"), (Quirks(reasoning_formats=("meta",)), "meta")],
)
def test_reasoning_bears_the_endpoints_family(quirks: Quirks, family: str) -> None:
    answer = streamed(delta(0, reasoningContent={"text": "hm"}), stop(), METADATA, quirks=quirks)
    assert answer.blocks[0].format == family


def test_bug_04_parallel_calls_stay_apart() -> None:
    answer = streamed(
        *(begun(0, toolUse={"toolUseId": "a", "name": "f"}), begun(1, toolUse={"toolUseId": "b", "name": "g"})),
        *(delta(1, toolUse={"input": "{}"}), delta(0, toolUse={"input": '{"x":'}), delta(0, toolUse={"input": "2}"})),
        *(stop("tool_use"), METADATA),
    )
    assert [(call.id, call.name, call.joined("arguments")) for call in answer.tool_calls] == [("a", "f", '{"x":2}'), ("b", "g", "{}")]


def test_bug_04_a_missing_id_is_minted_the_same_each_time() -> None:
    frames = (begun(0, toolUse={"name": "f"}), begun(1, toolUse={"name": "f"}), stop("tool_use"), METADATA)
    ids = [[call.id for call in streamed(*frames).tool_calls] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_bug_05_a_call_without_a_piece_has_an_empty_object() -> None:
    for answer in (
        streamed(begun(0, toolUse={"toolUseId": "a", "name": "f"}), ended(0), stop("tool_use"), METADATA),
        streamed(begun(0, toolUse={"toolUseId": "a", "name": "f"}), delta(0, toolUse={"input": ""}), stop("end_turn"), METADATA),
        whole([{"toolUse": {"toolUseId": "a", "name": "f", "input": {}}}], "tool_use"),
        whole([{"toolUse": {"toolUseId": "a", "name": "f"}}], "end_turn"),
    ):
        assert answer.tool_calls[0].joined("arguments") == "{}"
        assert answer.finish is not None
        assert answer.finish.reason == "tool_calls"


def test_a_call_whose_start_is_missing_is_read_too() -> None:
    answer = streamed(delta(0, text="x"), delta(0, toolUse={"input": '{"a":1}'}), stop("tool_use"), METADATA)
    assert [block.kind for block in answer.blocks] == ["text", "tool_call"]
    assert answer.tool_calls[0].joined("arguments") == '{"a":1}'


def test_bug_19_names_come_back() -> None:
    odd = "my.tool/" + "x" * 70
    names = decoder(tools=(Tool(name=odd),))
    names._learn()
    assert names._names is not None
    wire = names._names.wire(odd)
    answer = streamed(begun(0, toolUse={"toolUseId": "a", "name": wire}), stop("tool_use"), METADATA, tools=(Tool(name=odd),))
    assert answer.tool_calls[0].name == odd


def test_a_tool_of_free_text_gets_its_text() -> None:
    tools = (Tool(name="patch", kind="custom"),)
    answer = streamed(
        *(
            begun(0, toolUse={"toolUseId": "a", "name": "patch"}),
            delta(0, toolUse={"input": '{"input":"a\\n'}),
            delta(0, toolUse={"input": 'b"}'}),
        ),
        *(ended(0), stop("tool_use"), METADATA),
        tools=tools,
    )
    assert answer.tool_calls[0].custom
    assert answer.tool_calls[0].joined("arguments") == "a\nb"


def test_bug_23_a_structured_answer_in_disguise_is_text() -> None:
    quirks = Quirks(json_schema="tool")
    frames = (begun(0, toolUse={"toolUseId": "a", "name": "structured_answer"}), delta(0, toolUse={"input": '{"a":1}'}), ended(0))
    for answer in (
        streamed(*frames, stop("tool_use"), METADATA, quirks=quirks, format=FORM),
        whole([{"toolUse": {"toolUseId": "a", "name": "structured_answer", "input": {"a": 1}}}], "tool_use", quirks, format=FORM),
    ):
        assert shown(answer) == [("text", None, "", {"text": '{"a":1}'})]
        assert answer.finish == Finish("stop", "tool_use")


def test_tools_of_the_upstreams_own_go_to_its_own_clients() -> None:
    answer = streamed(
        *(
            begun(0, toolUse={"toolUseId": "s", "name": "code", "type": "server_tool_use"}),
            delta(0, toolUse={"input": '{"x":1}'}),
            ended(0),
        ),
        *(
            begun(1, toolResult={"toolUseId": "s", "status": "success"}),
            delta(1, toolResult=[{"text": "1"}]),
            delta(1, toolResult=[{"json": 2}]),
        ),
        *(ended(1), stop(), METADATA),
    )
    assert [msgspec.json.decode(block.opaque.raw) for block in answer.blocks if block.opaque is not None] == [
        {"toolUse": {"toolUseId": "s", "name": "code", "input": {"x": 1}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "s", "status": "success", "content": [{"text": "1"}, {"json": 2}]}},
    ]
    assert answer.finish == Finish("stop", "end_turn")


def test_citations_and_pictures() -> None:
    cited = {"location": {"web": {"url": "https://a.test/"}}, "title": "A"}
    for answer in (
        streamed(delta(0, text="x"), delta(0, citation=cited), ended(0), delta(1, image={"source": {"bytes": "AAAA"}}), stop(), METADATA),
        whole(
            [
                {"citationsContent": {"content": [{"text": "x"}], "citations": [cited]}},
                {"image": {"format": "png", "source": {"bytes": "AAAA"}}},
            ]
        ),
    ):
        assert answer.blocks[0].joined("text") == "x"
        assert msgspec.json.decode(answer.blocks[0].joined("annotation"))["url_citation"]["url"] == "https://a.test/"
        assert answer.blocks[1].media is not None
        assert (answer.blocks[1].media.media_type, answer.blocks[1].media.data) == ("image/png", "AAAA")


def test_the_stop_sequence_and_the_tier_are_told() -> None:
    frames = (
        stop("stop_sequence", additionalModelResponseFields={"stop_sequence": "END"}),
        frame("metadata", usage=USAGE, serviceTier={"type": "flex"}),
    )
    answer = streamed(*frames)
    assert answer.finish == Finish("stop", "stop_sequence", "END")
    assert answer.service_tier == "flex"


@pytest.mark.parametrize(
    ("name", "message", "kind", "status"),
    [
        ("modelStreamErrorException", "broke", "server", 424),
        ("throttlingException", "Too many tokens", "rate_limit", 429),
        ("validationException", "Input is too long for requested model.", "context_length", 400),
        ("validationException", "The provided model identifier is invalid.", "model_access", 400),
        ("validationException", "tools.0: bad", "caller_fault", 400),
        ("serviceUnavailableException", "busy", "overloaded", 503),
        ("internalServerException", "oops", "server", 500),
        ("modelTimeoutException", "slow", "server", 504),
        ("somethingNewException", "what", "server", 500),
    ],
)
def test_bug_14_an_exception_in_the_stream_is_a_failure(name: str, message: str, kind: str, status: int) -> None:
    one = decoder()
    answer = fold(one.feed([BEGIN, delta(0, text="half"), frame(name, message=message), stop()]) + one.close())
    assert answer.error is not None
    assert (answer.error.kind, answer.error.status, answer.error.message) == (kind, status, message)
    assert answer.finish is None
    assert one.done


def test_bug_14_an_error_frame_is_a_failure() -> None:
    answer = streamed(BEGIN, b'{"error":{"type":"ThrottlingException","message":"slow"}}')
    assert answer.error is not None
    assert answer.error.kind == "rate_limit"


def test_bug_15_a_stream_without_a_stop_has_no_finish() -> None:
    answer = streamed(BEGIN, delta(0, text="half"))
    assert answer.finish is None
    assert answer.blocks[0].joined("text") == "half"


@pytest.mark.parametrize("native", ["malformed_model_output", "malformed_tool_use"])
def test_a_malformed_answer_is_a_failure(native: str) -> None:
    for answer in (streamed(BEGIN, delta(0, text="x"), stop(native)), whole([{"text": "x"}], native)):
        assert answer.error is not None
        assert answer.error.kind == "malformed"
        assert answer.finish is None


@pytest.mark.parametrize(
    ("body", "kind"), [(b'{"message":"oh"}', "malformed"), (b"<html>", "malformed"), (b'{"error":{"code":429}}', "rate_limit")]
)
def test_bug_24_what_is_no_answer_is_a_failure(body: bytes, kind: str) -> None:
    answer = fold(decoder().whole(body))
    assert answer.error is not None
    assert answer.error.kind == kind


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (403, "", "Authentication failed: Please make sure your API Key is valid.", "credential"),
        (403, "ExpiredTokenException", "The security token included in the request is expired", "credential"),
        (403, "MissingAuthenticationTokenException", "Missing Authentication Token", "credential"),
        (403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", "model_access"),
        (408, "ModelTimeoutException", "Model has timed out", "server"),
        (424, "ModelErrorException", "The model failed", "server"),
        (429, "ModelNotReadyException", "Model is not ready", "overloaded"),
    ],
)
def test_bug_24_errors_outside_of_a_stream_keep_their_class(status: int, name: str, message: str, kind: str) -> None:
    headers = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/"} if name else {}
    assert classify(status, headers, msgspec.json.encode({"message": message})).kind == kind


def test_events_that_are_not_known_say_nothing() -> None:
    assert streamed(b'{"initial-response":{}}', b'{"ping":{}}', delta(0, text="x"), stop(), METADATA).error is None


KEYS = [
    *("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "error", "xException"),
    *("contentBlockIndex", "start", "delta", "text", "toolUse", "input", "name", "reasoningContent", "reasoningText", "redactedContent"),
    *("output", "message", "content", "stopReason", "usage", "citation", "toolResult", "image", "source", "bytes"),
]
WIRE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), WIRE, max_size=4).map(msgspec.json.encode) | st.binary(max_size=20), max_size=6))
def test_garbage_never_raises(payloads: list[bytes]) -> None:
    one = decoder(quirks=Quirks(json_schema="tool"), format=FORM, tools=(Tool(name="f", kind="custom"),))
    fold(one.feed(payloads) + one.close())
    for payload in payloads:
        fold(decoder().whole(payload))
