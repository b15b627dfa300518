import json
from collections.abc import Sequence

import msgspec
import pytest
from endpoints import PLAIN
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.chat.request import parse
from trunkline.dialects.chat.splice import Template
from trunkline.dialects.chat.stream import DONE, ChatStream
from trunkline.dialects.hub.translation import Identity
from trunkline.errors import ApiError, MalformedResponse, UpstreamRefused
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Cost, Usage

Chunk = dict[str, object]


class FullWay(ChatStream):
    """A stream that knows no short ways."""

    def _cut(self, *_: object) -> None:
        return

    def _read_plain(self, *_: object) -> bool:
        return False


def stream(kind: type[ChatStream] = ChatStream, *, options: dict[str, object] | None = None, **quirks: object) -> ChatStream:
    return kind("gen-1-abc", "a/b", "Prov", 1700000000, Quirks(**quirks), **(options or {}))  # type: ignore[arg-type]


def chunk(delta: object = None, finish: object = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return msgspec.json.encode({"id": "up-1", "object": "chat.completion.chunk", "created": 5, "model": "m", "choices": [choice], **more})


def events(data: bytes) -> list[Chunk]:
    parts = data.split(b"\n\n")
    assert parts.pop() == b""
    assert all(part.startswith(b"data: ") for part in parts)
    return [msgspec.json.decode(part[6:]) for part in parts if part != b"data: [DONE]"]


def deltas(data: bytes) -> list[object]:
    return [choice["delta"] for event in events(data) for choice in event["choices"]]  # type: ignore[attr-defined]


def test_events_are_renamed_and_unknown_fields_survive() -> None:
    one = stream()
    [event] = events(
        one.feed([chunk({"role": "assistant", "content": "Hi"}, system_fingerprint="fp", service_tier="flex", obfuscation="x", more=[1])])
    )
    assert event == {
        "id": "gen-1-abc",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "a/b",
        "provider": "Prov",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None, "native_finish_reason": None}],
        "system_fingerprint": "fp",
        "service_tier": "flex",
        "more": [1],
    }
    assert (one.upstream_id, one.service_tier, one.committed) == ("up-1", "flex", True)


def test_nothing_goes_out_before_content() -> None:
    one = stream()
    assert one.feed([b'{"choices":[],"prompt_filter_results":[{}]}', chunk({"role": "assistant", "content": ""})]) == b""
    assert one.feed([chunk(None), b'{"choices":[{"index":0}]}', b'{"id":null,"choices":null}', b"null"]) == b""
    assert not one.committed
    out = events(one.feed([chunk({"content": "x"})]))
    assert one.committed
    assert out[0]["prompt_filter_results"] == [{}]
    assert out[-1]["choices"][0]["delta"] == {"content": "x"}  # type: ignore[index]


def test_what_is_held_back_is_bounded() -> None:
    one = stream()
    one.feed([chunk({"content": ""})] * 1000)
    assert len(events(one.feed([chunk({"content": "x"})]))) < 20


@pytest.mark.parametrize(
    ("finish", "called", "ours"),
    [
        ("stop", False, "stop"),
        ("eos_token", False, "stop"),
        ("model_length", False, "length"),
        ("stop", True, "tool_calls"),
        ("sensitive", False, "content_filter"),
    ],
)
def test_bug_06_finish_reasons(finish: str, called: bool, ours: str) -> None:
    one = stream()
    call = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}
    out = one.feed([chunk(call if called else {"content": "x"}), chunk({}, finish)])
    [choice] = events(out)[-1]["choices"]  # type: ignore[misc]
    assert (choice["finish_reason"], choice["native_finish_reason"]) == (ours, finish)
    assert (one.finish_reason, one.native_finish_reason) == (ours, finish)


def test_an_upstream_that_names_the_native_reason_is_believed() -> None:
    one = stream()
    choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop", "native_finish_reason": "end_turn"}
    one.feed([msgspec.json.encode({"choices": [choice]})])
    assert (one.finish_reason, one.native_finish_reason) == ("stop", "end_turn")


def test_a_second_finish_is_not_passed_on() -> None:
    one = stream()
    assert (
        len(events(one.feed([chunk({"content": "x"}), chunk({}, "stop"), chunk({"content": ""}, "stop", usage={"total_tokens": 3})]))) == 2
    )
    assert one.usage == {"total_tokens": 3}


def test_bug_15_done_without_a_finish_reason_completes_the_answer() -> None:
    one = stream()
    out = one.feed([chunk({"content": "x"}), b"[DONE]", chunk({"content": "late"})])
    assert events(out)[-1]["choices"][0]["finish_reason"] == "stop"  # type: ignore[index]
    assert (one.done, one.finish_reason, one.native_finish_reason, one.text_chars) == (True, "stop", None, 1)


def test_bug_15_done_without_anything_is_no_answer() -> None:
    one = stream()
    assert one.feed([chunk({"role": "assistant"}), b"[DONE]"]) == b""
    assert (one.committed, one.finish_reason, one.done) == (False, None, True)


def test_a_real_finish_without_content_is_an_answer() -> None:
    one = stream()
    assert len(events(one.feed([chunk({"content": ""}), chunk({}, "content_filter")]))) == 2
    assert one.committed


def test_usage_is_taken_out_and_merged() -> None:
    one = stream(usage_path="x_groq.usage")
    out = one.feed(
        [
            chunk({"content": "x"}, usage={"prompt_tokens": 5, "completion_tokens": 1}),
            chunk({}, "stop", x_groq={"id": "r", "usage": {"completion_tokens": 7}}),
            b'{"choices":[],"usage":{"prompt_tokens":null,"total_tokens":12}}',
        ]
    )
    assert one.usage == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    assert len(events(out)) == 2
    assert b"usage" not in out
    assert events(out)[1]["x_groq"] == {"id": "r"}


def test_the_end_is_one_chunk_with_usage_and_no_choices() -> None:
    one = stream()
    one.feed([chunk({"content": "x"}, service_tier="default"), chunk({}, "stop")])
    end = one.finish(Usage(1, 2), Cost(), metadata=b'{"attempt":1}')
    assert end.endswith(b"\n\n" + DONE)
    [last] = events(end)
    assert (last["choices"], last["openrouter_metadata"], last["service_tier"]) == ([], {"attempt": 1}, "default")
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (1, 2)
    assert end != one.finish(Usage(1, 2), Cost())


def test_bug_14_failing_tells_the_client_in_band() -> None:
    one = stream()
    one.feed([chunk({"content": "x"})])
    end = one.fail(ApiError("provider_unavailable", "gone", metadata={"provider_code": "c"}))
    [last] = events(end)
    assert end.endswith(DONE)
    assert last["error"] == {"code": 502, "message": "gone", "metadata": {"error_type": "provider_unavailable", "provider_code": "c"}}
    assert last["choices"] == [{"index": 0, "delta": {"content": ""}, "finish_reason": "error", "native_finish_reason": None}]
    assert last["id"] == "gen-1-abc"
    assert "openrouter_metadata" not in last


@pytest.mark.parametrize(("error_type", "told"), [("provider_unavailable", {"attempt": 1}), ("server", None)])
def test_what_the_router_knows_of_a_failure_is_told_with_it(error_type: str, told: object) -> None:
    one, error = stream(), ApiError(error_type, "gone")
    error.router = b'{"attempt":1}'
    [last] = events(one.fail(error))
    assert last.get("openrouter_metadata") == told


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b'{"error":{"code":429,"message":"slow"}}', "rate_limit"),
        (b'{"error":{"message":"m","type":"server_error"},"choices":[]}', "server"),
        (b'{"object":"error","message":"m","type":"x"}', "server"),
        (b"<html>", "malformed"),
        (b'{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}', "malformed"),
    ],
)
def test_bug_14_errors_inside_the_stream(payload: bytes, kind: str) -> None:
    one = stream()
    out = one.feed([chunk({"content": "a"})])
    assert one.feed([chunk({"content": "b"}), payload, chunk({"content": "c"})]) == b""
    assert one.error is not None
    assert one.error.kind == kind
    assert isinstance(one.error, UpstreamRefused | MalformedResponse)
    assert one.feed([]) == b""
    text = [delta["content"] for delta in deltas(out + one.fail(ApiError("provider_unavailable", "m")))]  # type: ignore[index]
    assert text == ["a", "b", ""]
    assert one.feed([chunk({"content": "d"})]) == b""


def test_tool_calls_are_repaired_and_collected() -> None:
    one = stream()
    calls = [{"index": 0, "function": {"name": "f", "arguments": {"x": 1}}}, {"index": 0, "function": {"name": "g", "arguments": ""}}]
    out = one.feed([chunk({"tool_calls": calls}), chunk({}, "stop"), b"[DONE]"])
    assert [(call.name, call.arguments) for call in one.tool_calls] == [("f", '{"x":1}'), ("g", "{}")]
    items = [item for delta in deltas(out) for item in delta.get("tool_calls", [])]  # type: ignore[attr-defined]
    assert [item["index"] for item in items] == [0, 1, 1]
    assert one.finish_reason == "tool_calls"


def test_excluded_reasoning_is_not_sent() -> None:
    one = stream(options={"reasoning_excluded": True}, reasoning_out="reasoning_content")
    assert one.feed([chunk({"role": "assistant", "content": None}), chunk({"reasoning_content": "hm"})]) != b""
    out = one.feed([chunk({"reasoning_content": "hm"}), chunk({"content": "x"}), chunk({}, "stop")])
    assert b"hm" not in out
    assert b"reasoning" not in out
    assert (one.text_chars, one.output_chars) == (1, 5)


def test_tags_that_never_end_are_released_at_the_end() -> None:
    one = stream(reasoning_out="tags")
    assert one.feed([chunk({"content": "<thi"})]) == b""
    assert not one.committed
    out = one.feed([b"[DONE]"])
    assert deltas(out)[-1] == {"content": "<thi"}
    assert one.finish_reason == "stop"


def test_bug_23_a_wrapped_call_is_streamed_as_a_tool_call() -> None:
    one = stream(options={"forced_tool": "f"})
    pieces = ['{"na', 'me":"f","argu', 'ments":{"a":', "1", "}}"]
    out = one.feed([chunk({"content": piece}) for piece in pieces] + [chunk({}, "stop")])
    items = [item for delta in deltas(out) for item in delta.get("tool_calls") or []]  # type: ignore[attr-defined]
    assert "".join(item["function"]["arguments"] for item in items) == '{"a":1}'
    assert items[0]["function"]["name"] == "f"
    assert one.finish_reason == "tool_calls"
    assert not any(delta.get("content") for delta in deltas(out))  # type: ignore[attr-defined]


def test_legacy_text_mode() -> None:
    one = stream(options={"legacy": "text"})
    out = one.feed(
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "On"}),
            chunk({"content": "ce"}),
            chunk({"content": "!"}),
            chunk({}, "stop"),
        ]
    )
    assert {event["object"] for event in events(out)} == {"text_completion"}
    assert [event["choices"][0]["text"] for event in events(out)] == ["", "On", "ce", "!", ""]  # type: ignore[index]
    assert "delta" not in events(out)[1]["choices"][0]  # type: ignore[index]
    [last] = events(one.fail(ApiError("timeout", "m")))
    assert last["choices"][0]["text"] == ""  # type: ignore[index]


def test_several_choices_are_kept_apart() -> None:
    one = stream()
    both = b'{"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]}'
    ends = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"length"}]}'
    out = events(one.feed([both, both, ends]))
    assert [choice["finish_reason"] for choice in out[-1]["choices"]] == ["stop", "length"]  # type: ignore[attr-defined]
    assert one.text_chars == 4


CONTENT = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            '","finish_reason":"stop"',
            '"finish_reason":null',
            '\\"},"x',
            "\\",
            '"',
            "\U0001f600",
            "\u2028\x7f\x00\n",
            "<think>",
            "</think>",
            '"content":"',
            "]}",
        ]
    ),
)
DELTAS = st.one_of(
    CONTENT.map(lambda text: {"content": text}),
    CONTENT.map(lambda text: {"role": "assistant", "content": text, "refusal": None}),
    CONTENT.map(lambda text: {"reasoning_content": text}),
    CONTENT.map(lambda text: {"reasoning": text, "content": None}),
    CONTENT.map(lambda text: {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}),
    CONTENT.map(lambda text: {"tool_calls": [{"index": 1, "id": "c", "function": {"name": "f", "arguments": text}}]}),
    st.just({"content": "x", "reasoning": "y"}),
)
MORE = st.sampled_from(
    [{}, {}, {}, {"usage": None}, {"usage": {"total_tokens": 3}}, {"obfuscation": "aB3"}, {"obfuscation": "x"}, {"created": 6}]
)


def written(delta: object, more: Chunk, escaped: bool) -> bytes:
    document = msgspec.json.decode(chunk(delta, **more))
    return json.dumps(document, ensure_ascii=escaped, separators=(", ", ": ") if escaped else (",", ":")).encode()


@given(
    st.lists(st.tuples(DELTAS, MORE, st.booleans()), max_size=14),
    st.lists(st.integers(0, 14), max_size=4),
    st.sampled_from(["none", "reasoning", "tags"]),
    st.booleans(),
    st.sampled_from(["", "text"]),
    st.booleans(),
)
def test_the_fast_way_says_the_same_as_the_full_way(
    said: Sequence[tuple[object, Chunk, bool]], cuts: list[int], reasoning_out: str, excluded: bool, legacy: str, runs: bool
) -> None:
    payloads = [written(*one) for one in said for _ in range(3 if runs else 1)]
    payloads.append(chunk({}, "stop"))
    options: dict[str, object] = {"reasoning_excluded": excluded, "legacy": legacy}
    fast, full = (stream(kind, options=options, reasoning_out=reasoning_out) for kind in (ChatStream, FullWay))
    places = sorted(min(cut, len(payloads)) for cut in cuts)
    out = b"".join(fast.feed(payloads[start:end]) for start, end in zip([0, *places], [*places, len(payloads)], strict=True))
    assert events(out) == events(full.feed(payloads))
    for name in ("committed", "text_chars", "output_chars", "usage", "finish_reason", "native_finish_reason", "upstream_id"):
        assert getattr(fast, name) == getattr(full, name), name
    assert [(c.slot, c.id, c.name, c.arguments) for c in fast.tool_calls] == [(c.slot, c.id, c.name, c.arguments) for c in full.tool_calls]


@pytest.mark.parametrize("key", ["content", "reasoning", "reasoning_content", "arguments"])
def test_runs_of_plain_deltas_take_the_fast_way(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    run = Template.run

    def counted(self: Template, *args: object) -> tuple[int, str]:
        count, text = run(self, *args)  # type: ignore[arg-type]
        copied.append(count)
        return count, text

    monkeypatch.setattr(Template, "run", counted)

    def say(text: str) -> dict[str, object]:
        return {"tool_calls": [{"index": 0, "function": {"arguments": text}}]} if key == "arguments" else {key: text}

    one = stream()
    first = (
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}
        if key == "arguments"
        else {"role": "assistant", "content": ""}
    )
    one.feed([chunk(first), *[chunk(say(str(number))) for number in range(20)], chunk({}, "stop")])
    assert sum(copied) == 20
    assert one.output_chars == len("".join(map(str, range(20))))


def test_templates_of_no_use_are_not_made_for_ever() -> None:
    one = stream()
    payloads = [chunk({"content": "x"}, created=number) for number in range(200)]
    one.feed(payloads)
    assert one._learned < 10


PAIRS: list[tuple[dict[str, object], list[object], dict[str, object], str]] = [
    ({}, [{"role": "assistant", "content": "a"}, {"content": "b"}], {"role": "assistant", "content": "ab"}, "stop"),
    (
        {},
        [{"reasoning_content": "t1"}, {"reasoning_content": "t2"}, {"content": "x"}],
        {"content": "x", "reasoning_content": "t1t2"},
        "stop",
    ),
    (
        {"reasoning_out": "tags"},
        [{"content": "<think>t"}, {"content": "t</thi"}, {"content": "nk>\n\nx"}],
        {"content": "<think>tt</think>\n\nx"},
        "length",
    ),
    (
        {"reasoning_out": "chunks"},
        [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}]}, {"content": "x"}],
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, {"type": "text", "text": "x"}]},
        "stop",
    ),
    (
        {},
        [
            {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
            {"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        ],
        {
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                {"id": "b", "type": "function", "function": {"name": "g"}},
            ],
        },
        "stop",
    ),
    (
        {"forced": "f"},
        [{"content": '{"name":"f",'}, {"content": '"arguments":{"a"'}, {"content": ":1}}"}],
        {"content": '{"name":"f","arguments":{"a":1}}'},
        "stop",
    ),
]


def fold(out: bytes) -> dict[str, object]:
    message: dict[str, object] = {"content": None, "reasoning": None}
    calls: dict[int, list[object]] = {}
    for delta in deltas(out):
        assert isinstance(delta, dict)
        for key in ("content", "reasoning"):
            if delta.get(key):
                message[key] = (message[key] or "") + delta[key]  # type: ignore[operator]
        for item in delta.get("tool_calls") or []:
            known = calls.setdefault(item["index"], [item.get("id"), item["function"].get("name"), ""])
            known[2] += item["function"]["arguments"]
    message["tool_calls"] = list(calls.values())
    return message


@pytest.mark.parametrize(("quirks", "said", "message", "finish"), PAIRS)
def test_a_stream_folds_to_the_reply(quirks: dict[str, object], said: list[object], message: dict[str, object], finish: str) -> None:
    settings = {name: value for name, value in quirks.items() if name != "forced"}
    options: dict[str, object] = {"forced_tool": quirks.get("forced")}
    one = stream(options=options, **settings)
    folded = fold(one.feed([*(chunk(delta) for delta in said), chunk({}, finish), b"[DONE]"]))
    reply = ChatReply("gen-1-abc", "a/b", "Prov", 1700000000, Quirks(**settings), forced_tool=quirks.get("forced"))  # type: ignore[arg-type]
    reply.decode(msgspec.json.encode({"choices": [{"index": 0, "message": message, "finish_reason": finish}]}))
    whole = msgspec.json.decode(reply.encode(Usage(), Cost()))["choices"][0]
    calls = [[call["id"], call["function"]["name"], call["function"]["arguments"]] for call in whole["message"].get("tool_calls", [])]
    assert folded == {"content": whole["message"]["content"], "reasoning": whole["message"]["reasoning"], "tool_calls": calls}
    assert (one.finish_reason, one.text_chars, one.output_chars) == (reply.finish_reason, reply.text_chars, reply.output_chars)


def test_calls_of_custom_tools_keep_their_shape_and_are_not_checked() -> None:
    one = stream()
    head = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": ""}}
    more = {"index": 0, "custom": {"input": "*** Begin"}}
    sent = deltas(one.feed([chunk({"tool_calls": [head]}), chunk({"tool_calls": [more]}), chunk({}, "tool_calls")]))
    assert [delta["tool_calls"] for delta in sent[:2]] == [[head], [more]]  # type: ignore[index]
    assert "tool_calls" not in sent[2]  # type: ignore[operator]
    assert (one.finish_reason, one.tool_calls, one.output_chars) == ("tool_calls", [], 9)


@pytest.mark.parametrize(("quirk", "called"), [("schema", True), ("native", False)])
def test_of_knows_identity_endpoint_and_request(quirk: str, called: bool) -> None:
    endpoint = replace(PLAIN, quirks=Quirks(tools=quirk))  # type: ignore[arg-type]
    tools = [{"type": "function", "function": {"name": "f"}}]
    request = parse(msgspec.json.encode({"messages": [{"role": "user", "content": "q"}], "tools": tools, "tool_choice": "required"}))
    one = ChatStream.of(Identity("gen-1-abc", "a/b", "Prov", 7), endpoint, request)
    first = events(one.feed([chunk({"content": '{"name": "f", "arguments": {}}'}), chunk({}, "stop")]))[0]
    assert (first["id"], first["created"], first["model"], first["provider"]) == ("gen-1-abc", 7, "a/b", "Prov")
    assert bool(one.tool_calls) == called
