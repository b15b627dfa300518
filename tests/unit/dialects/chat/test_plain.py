"""The short way writes what the full way writes, or stands aside."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.chat import plain
from trunkline.dialects.chat.reply import ChatReply
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Cost, Usage

USAGE = (Usage(1, 2), Cost(3))
FACTS = (
    "finish_reason",
    "native_finish_reason",
    "usage",
    "upstream_id",
    "service_tier",
    "output_chars",
    "text_chars",
    "tool_calls",
    "empty",
    "error",
)


def answer(**changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Paris.", **changes.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": "stop", **changes.pop("choice", {})}
    return {
        "id": "up-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 1},
        **changes,
    }


def both_ways(document: dict[str, Any]) -> tuple[ChatReply, ChatReply]:
    body = msgspec.json.encode(document)
    short, full = (ChatReply("gen-1", "a/m", "One", 7, Quirks()) for _ in range(2))
    short.decode(body)
    full._decode_fully(body)
    return short, full


EMPTY = {name: st.none() for name in ("audio", "function_call", "reasoning_content")} | {"tool_calls": st.none() | st.just([])}
ADDED = {"obfuscation": "x" * 9, "timings": {"predicted_ms": 1.5}}


documents = st.builds(
    lambda added, **known: answer(**known, **added),
    st.fixed_dictionaries({}, optional={name: st.just(value) for name, value in ADDED.items()}),
    message=st.fixed_dictionaries(
        {"content": st.text(min_size=1)}, optional={"refusal": st.none(), "annotations": st.none() | st.just([]), **EMPTY}
    ),
    choice=st.fixed_dictionaries(
        {"finish_reason": st.sampled_from(["stop", "length"])}, optional={"logprobs": st.none(), "stop_reason": st.none()}
    ),
    system_fingerprint=st.none() | st.text(max_size=5),
    service_tier=st.none() | st.text(max_size=5),
    id=st.text(max_size=5),
)


@given(documents)
def test_plain_answers_are_the_same_both_ways(document: dict[str, Any]) -> None:
    short, full = both_ways(document)
    assert plain.read(msgspec.json.encode(document)) is not None
    assert msgspec.json.decode(short.encode(*USAGE)) == msgspec.json.decode(full.encode(*USAGE))
    metadata = b'{"a":1}'
    assert msgspec.json.decode(short.encode(*USAGE, metadata=metadata)) == msgspec.json.decode(full.encode(*USAGE, metadata=metadata))
    for fact in FACTS:
        assert getattr(short, fact) == getattr(full, fact), fact


@pytest.mark.parametrize(
    "document",
    [
        answer(message={"content": ""}),
        answer(message={"content": None}),
        answer(message={"reasoning_content": "hm"}),
        answer(message={"tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
        answer(message={"annotations": [{"type": "url_citation"}]}),
        answer(message={"content": [{"type": "text", "text": "x"}]}),
        answer(choice={"finish_reason": "eos"}),
        answer(choice={"finish_reason": None}),
        answer(choice={"native_finish_reason": "x"}),
        answer(choice={"logprobs": {"content": []}}),
        answer(choice={"index": 1}),
        answer(choices=[]),
        answer(usage=None),
        answer(usage={}),
        answer(citations=[]),
        answer(error={"message": "no", "code": 500}),
    ],
)
def test_what_is_not_plain_takes_the_full_way(document: dict[str, Any]) -> None:
    assert plain.read(msgspec.json.encode(document)) is None
    short, full = both_ways(document)
    for fact in ("finish_reason", "usage", "output_chars", "empty"):
        assert getattr(short, fact) == getattr(full, fact), fact
    assert [call.arguments for call in short.tool_calls] == [call.arguments for call in full.tool_calls]
    assert type(short.error) is type(full.error)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_answer_is_not_plain(body: bytes) -> None:
    assert plain.read(body) is None


@pytest.mark.parametrize("quirks", [Quirks(reasoning_out="tags"), Quirks(usage_path="x_groq.usage")])
def test_endpoints_with_other_ways_take_the_full_way(quirks: Quirks) -> None:
    reply = ChatReply("gen-1", "a/m", "One", 7, quirks)
    reply.decode(msgspec.json.encode(answer(message={"content": "<think>hm</think>Paris."})))
    assert reply._plain is None
