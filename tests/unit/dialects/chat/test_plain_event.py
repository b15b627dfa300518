"""The short way for events writes what the full way writes, or stands aside (`test_stream` compares whole streams)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.chat import plain_event
from trunkline.dialects.chat.stream import ChatStream
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Cost, Usage

FACTS = ("committed", "finish_reason", "native_finish_reason", "usage", "upstream_id", "service_tier", "output_chars", "text_chars")


class FullWay(ChatStream):
    def _read_plain(self, *_: object) -> bool:
        return False


def event(delta: dict[str, Any], choice: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    part = {"index": 0, "delta": delta, "finish_reason": None, **(choice or {})}
    return {"id": "up-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [part], **changes}


def both_ways(*documents: dict[str, Any]) -> list[ChatStream]:
    streams = [kind("gen-1", "a/m", "One", 7, Quirks()) for kind in (ChatStream, FullWay)]
    for document in documents:
        for one in streams:
            one.sent = getattr(one, "sent", b"") + one.feed([msgspec.json.encode(document)])  # type: ignore[attr-defined]
    return streams


def chunks(one: Any) -> list[Any]:
    return [
        msgspec.json.decode(part[6:])
        for part in (getattr(one, "sent", b"") + one.finish(Usage(1, 2), Cost())).split(b"\n\n")
        if part.startswith(b"data: {")
    ]


maybe_text = st.none() | st.text(max_size=5)
events = st.builds(
    lambda delta, choice, more: event(delta, choice, **more),
    st.fixed_dictionaries({}, optional={"role": st.just("assistant"), "content": maybe_text, "refusal": st.none()}),
    st.fixed_dictionaries({}, optional={"finish_reason": st.sampled_from([None, "stop", "length"]), "logprobs": st.none()}),
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.text(max_size=3),
            "usage": st.sampled_from([None, {}, {"total_tokens": 3}]),
            "system_fingerprint": maybe_text,
            "service_tier": maybe_text,
            "obfuscation": st.just("aB3"),
            "choices": st.just([]),
        },
    ),
)


@given(st.lists(events, max_size=5))
def test_plain_events_are_the_same_both_ways(documents: list[dict[str, Any]]) -> None:
    assert all(plain_event.read(msgspec.json.encode(document)) is not None for document in documents)
    short, full = both_ways(*documents)
    assert chunks(short) == chunks(full)
    for fact in FACTS:
        assert getattr(short, fact) == getattr(full, fact), fact


@pytest.mark.parametrize(
    "document",
    [
        event({"reasoning": "hm"}),
        event({"content": [{"type": "text", "text": "x"}]}),
        event({"role": "tool"}),
        event({"refusal": "no"}),
        event({"tool_calls": []}),
        event({}, {"finish_reason": "eos"}),
        event({}, {"native_finish_reason": "x"}),
        event({}, {"index": 1}),
        event({}, {"usage": {"total_tokens": 1}}),
        event({"content": "x"}, choices=[{"delta": {}}, {"delta": {}}]),
        event({}, object="error"),
        event({}, error={"message": "no"}),
        event({}, x=1),
    ],
)
def test_what_is_not_plain_takes_the_full_way(document: dict[str, Any]) -> None:
    assert plain_event.read(msgspec.json.encode(document)) is None


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_event_is_not_plain(payload: bytes) -> None:
    assert plain_event.read(payload) is None


def test_an_end_after_calls_takes_the_full_way() -> None:
    call = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}
    short, full = both_ways(event(call), event({}, {"finish_reason": "stop"}), event({"content": "x"}))
    assert chunks(short) == chunks(full)
    assert short.finish_reason == "tool_calls"
    assert short.tool_calls[0].arguments == "{}"


def test_endpoints_with_other_ways_take_the_full_way() -> None:
    one = ChatStream("gen-1", "a/m", "One", 7, Quirks(reasoning_out="tags"))
    assert b'"reasoning":"hm"' in one.feed([msgspec.json.encode(event({"content": "<think>hm</think>x"}))])
