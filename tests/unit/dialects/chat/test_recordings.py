"""Real answers of providers, where the recordings are at hand: each must come out whole, and OpenRouter's own must keep their shape."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest

from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.chat.request import parse
from trunkline.dialects.chat.stream import ChatStream
from trunkline.dialects.refusals import KINDS, classify
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Cost, Usage

ROOT = Path(__file__).parents[5] / "shared" / "cassettes"
QUIRKS = {"groq": Quirks(usage_path="x_groq.usage", reasoning_out="tags"), "mistral": Quirks(reasoning_out="chunks")}
FINISHES = {"stop", "length", "tool_calls", "content_filter"}

pytestmark = pytest.mark.skipif(not ROOT.exists(), reason="the recordings are not part of the repository")


@cache
def recordings() -> tuple[dict[str, object], ...]:
    def read() -> Iterator[dict[str, object]]:
        for row in msgspec.json.decode((ROOT / "index.json").read_bytes()):
            if row["kind"] != "http":
                continue
            data = (ROOT / row["file"]).read_bytes()
            if b"chat/completions" in data:
                document = msgspec.json.decode(data)
                if document["request"]["url"].endswith("/chat/completions"):
                    yield document

    return tuple(read())


def choose(*, stream: bool, status: int = 200) -> list[dict[str, object]]:
    return [one for one in recordings() if one["stream"] is stream and one["response"]["status"] == status]  # type: ignore[index]


def payloads(body: str) -> list[bytes]:
    return [line[5:].strip().encode() for line in body.splitlines() if line.startswith("data:")]


def events(data: bytes) -> list[dict[str, object]]:
    return [msgspec.json.decode(part[6:]) for part in data.split(b"\n\n") if part.startswith(b"data: {")]


def test_there_are_recordings() -> None:
    assert len(choose(stream=False)) > 200
    assert len(choose(stream=True)) > 40


def test_streams_keep_their_text_calls_and_usage() -> None:
    for recording in choose(stream=True):
        sent = payloads(recording["response"]["body"])  # type: ignore[index]
        quirks = QUIRKS.get(str(recording["provider"]), Quirks())
        one, slow = (ChatStream("gen-1-x", "a/b", "P", 1, quirks) for _ in range(2))
        out = one.feed(sent)
        single = b"".join(slow.feed([payload]) for payload in sent)
        if b'"error":' in b"".join(sent):
            assert one.error is not None
            assert (one.error.kind, one.error.status) == ("malformed", 400)
            continue
        assert events(out) == events(single)
        assert one.error is None
        assert one.done
        assert one.finish_reason in FINISHES
        assert one.usage
        assert one.output_chars == sum(_chars(payload) for payload in sent) - _tags(quirks, sent)
        assert {event["id"] for event in events(out)} == {"gen-1-x"}
        assert len({call.id for call in one.tool_calls}) == len(one.tool_calls)
        for call in one.tool_calls:
            msgspec.json.decode(call.arguments)


def _chars(payload: bytes) -> int:
    if payload == b"[DONE]":
        return 0
    total = 0
    for choice in msgspec.json.decode(payload)["choices"]:
        delta = choice["delta"]
        content = delta.get("content") or ""
        if isinstance(content, list):
            content = "".join(text["text"] for part in content for text in part["thinking"])
        total += len(content) + len(delta.get("reasoning") or "")
        total += sum(len(call["function"].get("arguments") or "") for call in delta.get("tool_calls") or [])
    return total


def _tags(quirks: Quirks, sent: list[bytes]) -> int:
    """Characters that belong to tags, with the blanks around them."""
    if quirks.reasoning_out != "tags":
        return 0
    deltas = [msgspec.json.decode(payload)["choices"][0]["delta"] for payload in sent if payload != b"[DONE]"]
    text = "".join(delta.get("content") or "" for delta in deltas)
    if not text.startswith("<think>"):
        return 0
    after = text.partition("</think>")[2]
    return len("<think></think>") + len(after) - len(after.lstrip())


def test_whole_answers_are_complete() -> None:
    for recording in choose(stream=False):
        body = recording["response"]["body"]  # type: ignore[index]
        if not isinstance(body, dict) or "choices" not in body:
            continue
        one = ChatReply("gen-1-x", "a/b", "P", 1, QUIRKS.get(str(recording["provider"]), Quirks()))
        one.decode(msgspec.json.encode(body))
        assert one.error is None
        assert not one.empty
        out = msgspec.json.decode(one.encode(Usage(), Cost()))
        assert {"id", "created", "model", "object", "system_fingerprint", "provider", "usage", "choices"} <= out.keys()
        for choice in out["choices"]:
            assert choice["finish_reason"] in FINISHES
            assert "native_finish_reason" in choice
            for call in choice["message"].get("tool_calls", []):
                assert isinstance(call["function"]["arguments"], str)
                assert call["id"]


def test_answers_of_openrouter_keep_every_field() -> None:
    for recording in choose(stream=False):
        if recording["provider"] != "openrouter":
            continue
        body = recording["response"]["body"]  # type: ignore[index]
        one = ChatReply(body["id"], body["model"], body["provider"], body["created"], Quirks())
        one.decode(msgspec.json.encode(body))
        out = msgspec.json.decode(one.encode(Usage(), Cost()))
        for before, after in zip(body["choices"], out["choices"], strict=True):
            calls = after["message"].get("tool_calls", [])
            for call, own in zip(before["message"].get("tool_calls", []), calls, strict=True):
                call.pop("index", None)
                call["function"].setdefault("arguments", own["function"]["arguments"])
            assert after == {**after, **before, "message": {**after["message"], **before["message"]}}
        assert {**out, **{key: value for key, value in body.items() if key not in ("choices", "usage")}} == out


def test_requests_of_real_clients_are_accepted() -> None:
    for recording in choose(stream=False) + choose(stream=True):
        if recording["provider"] in ("openai", "openrouter", "groq"):
            parse(msgspec.json.encode(recording["request"]["body"]))  # type: ignore[index]


def test_refusals_are_classed() -> None:
    kinds = {}
    for status in (400, 404):
        for recording in choose(stream=False, status=status):
            body = recording["response"]["body"]  # type: ignore[index]
            got = classify(status, {}, msgspec.json.encode(body))
            assert got.kind in KINDS
            kinds[got.code] = got.kind
    assert kinds["model_not_found"] == "model_access"
    assert kinds["tool_use_failed"] == "malformed"
    assert kinds["unsupported_value"] == "unsupported_param"
    assert kinds["invalid_value"] == "caller_fault"
