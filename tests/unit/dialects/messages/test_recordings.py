"""Real traffic of Anthropic, where the recordings are at hand: each answer must come out whole on every way, and each request must come
back from the hub as it was."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from grammar_messages import fold as fold_stream
from grammar_messages import fold_loosely

from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.events import Event
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.messages.compose import Composer
from trunkline.dialects.messages.decoder import MessagesDecoder
from trunkline.dialects.messages.encoder import MessagesEncoder
from trunkline.dialects.messages.prepare import Splicer
from trunkline.dialects.messages.reply import MessagesReply
from trunkline.dialects.messages.request import MessagesRequest, parse
from trunkline.dialects.messages.stops import REASONS
from trunkline.dialects.messages.stream import MessagesStream
from trunkline.dialects.messages.tokens import forwarded
from trunkline.dialects.messages.turns import conversation
from trunkline.dialects.refusals import classify
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Cost, Usage

ROOT = Path(__file__).parents[5] / "shared" / "cassettes"
Make = Callable[..., Endpoint]
Wire = dict[str, object]

SKIPPED = {"count_tokens": "a number, no answer", "error": "a refusal, read by `classify`"}
"""Kinds of recordings that are no answers, with the reason."""

pytestmark = pytest.mark.skipif(not ROOT.exists(), reason="the recordings are not part of the repository")


@cache
def recordings() -> tuple[Wire, ...]:
    def read() -> Iterator[Wire]:
        for row in json.loads((ROOT / "index.json").read_bytes()):
            if "ep:messages" in row["features"]:
                yield {**json.loads((ROOT / row["file"]).read_bytes()), "file": row["file"]}

    return tuple(read())


def kind(one: Wire) -> str:
    body = one["response"]["body"]  # type: ignore[index]
    if isinstance(body, str):
        return "stream"
    if body.get("type") == "error":
        return "error"
    return "count_tokens" if "count_tokens" in one["request"]["url"] else "whole"  # type: ignore[index,operator]


def choose(wanted: str) -> list[Wire]:
    return [one for one in recordings() if kind(one) == wanted]


def payloads(body: str) -> list[bytes]:
    return [line[5:].strip().encode() for line in body.splitlines() if line.startswith("data:")]


def sent(one: Wire) -> Wire:
    return one["request"]["body"]  # type: ignore[index,no-any-return]


def got(one: Wire) -> Wire:
    """The message that was recorded, streamed or not, put together by a reader of its own."""
    body = one["response"]["body"]  # type: ignore[index]
    if not isinstance(body, str):
        return body  # type: ignore[no-any-return]
    return fold_loosely(payloads(body))


def request_of(one: Wire) -> MessagesRequest:
    return parse(json.dumps(sent(one)).encode())


def decoded(one: Wire, endpoint: Endpoint) -> list[Event]:
    body = one["response"]["body"]  # type: ignore[index]
    decoder = MessagesDecoder(endpoint, conversation(request_of(one)), seed="s")
    if isinstance(body, str):
        events = decoder.feed(payloads(body))
        assert decoder.done
        return events + decoder.close()
    return decoder.whole(json.dumps(body).encode())


def answers() -> list[Wire]:
    return choose("whole") + choose("stream")


def test_there_are_recordings_and_every_kind_is_used() -> None:
    kinds = Counter(kind(one) for one in recordings())
    assert kinds["whole"] > 220
    assert kinds["stream"] == 15
    assert kinds.keys() == {"whole", "stream", *SKIPPED}


def test_answers_are_decoded_whole(endpoint: Make) -> None:
    for one in answers():
        answer, message = fold(decoded(one, endpoint())), got(one)
        assert answer.error is None, one["file"]
        assert answer.id == message["id"]
        assert answer.finish is not None
        assert answer.finish.native == message["stop_reason"]
        assert answer.finish.reason == REASONS[str(message["stop_reason"])]
        assert answer.finish.stop_sequence == message["stop_sequence"]
        assert answer.usage is not None
        _check_blocks(answer, message, one)
        compacted = any(item["type"] == "compaction" for item in message["usage"].get("iterations") or ())  # type: ignore[attr-defined]
        for key, value in {} if compacted else message["usage"].items():  # type: ignore[attr-defined]
            assert answer.usage.get(key) == value, (one["file"], key)


def _check_blocks(answer: Answer, message: Wire, one: Wire) -> None:
    blocks: list[Wire] = message["content"]  # type: ignore[assignment]
    assert len(answer.blocks) == len(blocks), one["file"]
    for block, wire in zip(answer.blocks, blocks, strict=True):
        match wire["type"]:
            case "text":
                assert block.joined("text") == wire["text"]
            case "thinking":
                assert (block.joined("text"), block.joined("signature")) == (wire["thinking"], wire["signature"])
                assert block.format == "anthropic-claude-v1"
            case "redacted_thinking":
                assert block.joined("data") == wire["data"]
            case "tool_use":
                assert (block.id, block.name) == (wire["id"], wire["name"])
                assert json.loads(block.joined("arguments") or "{}") == wire["input"]
            case _:
                assert block.opaque is not None
                assert json.loads(bytes(block.opaque.raw)) == wire


def test_answers_come_out_of_the_encoder_as_they_were(endpoint: Make, identity: Identity) -> None:
    for one in answers():
        events, message = decoded(one, endpoint()), got(one)
        answer = fold(events)
        slow, fast = (MessagesEncoder(identity, request_of(one)) for _ in range(2))
        stream = slow.feed([])
        for event in events:
            stream += slow.feed([event])
        stream += slow.finish(answer, Usage(), Cost())
        assert stream == fast.feed(events) + fast.finish(answer, Usage(), Cost())
        streamed = fold_stream(stream)
        whole = json.loads(MessagesEncoder(identity, request_of(one)).whole(answer, Usage(), Cost()))
        assert streamed == whole, one["file"]
        assert _plain(whole["content"]) == _plain(message["content"]), one["file"]
        assert whole["stop_reason"] == message["stop_reason"]
        assert whole["stop_sequence"] == message["stop_sequence"]


def _plain(content: object) -> list[Wire]:
    """Blocks without what is default, and without citations that have no address."""
    out = []
    for block in content:  # type: ignore[attr-defined]
        if block["type"] == "text" and not block["text"]:
            continue
        cited = [one for one in block.get("citations") or () if one.get("url")]
        rest = {key: value for key, value in block.items() if key not in ("citations", "caller")}
        out.append({**rest, "citations": cited} if cited else rest)
    return out


def test_streams_pass_through_with_their_facts(endpoint: Make, identity: Identity) -> None:
    for one in choose("stream"):
        sent_ones = payloads(one["response"]["body"])  # type: ignore[index]
        fast, slow = (MessagesStream(identity, endpoint(), request_of(one)) for _ in range(2))
        out = fast.feed(sent_ones)
        assert out == b"".join(slow.feed([payload]) for payload in sent_ones)
        assert (fast.done, fast.committed, fast.error) == (True, True, None)
        events = fold(decoded(one, endpoint()))
        assert fast.usage == events.usage
        assert fast.finish_reason == events.finish.reason  # type: ignore[union-attr]
        assert fast.upstream_id == events.id
        assert [(call.name, json.loads(call.arguments)) for call in fast.tool_calls] == [
            (call.name, json.loads(call.joined("arguments"))) for call in events.tool_calls
        ]
        message = got(one)
        seen = fold_loosely(payloads((out + fast.finish(Usage(), Cost())).decode()))
        assert seen["content"] == message["content"]
        assert seen["id"] == "gen-1-x"
        for key, value in message["usage"].items():  # type: ignore[attr-defined]
            assert seen["usage"][key] == value  # type: ignore[index]


def test_whole_answers_pass_through(endpoint: Make, identity: Identity) -> None:
    for one in choose("whole"):
        body: Wire = one["response"]["body"]  # type: ignore[index]
        reply = MessagesReply(identity, endpoint(), request_of(one))
        reply.decode(json.dumps(body).encode())
        assert (reply.error, reply.empty) == (None, False)
        out = json.loads(reply.encode(Usage(), Cost()))
        assert {**out, **{key: body[key] for key in body if key not in ("id", "model", "usage")}} == out
        assert {**out["usage"], **body["usage"]} == out["usage"]  # type: ignore[dict-item]
        assert (out["id"], out["model"], out["provider"]) == ("gen-1-x", "a/b", "P")


def test_a_whole_answer_in_place_of_a_stream_makes_the_same_message(endpoint: Make, identity: Identity) -> None:
    for one in choose("whole"):
        body: Wire = one["response"]["body"]  # type: ignore[index]
        stream = MessagesStream(identity, endpoint(), request_of(one))
        seen = fold_loosely(payloads((stream.unstreamed(json.dumps(body).encode()) + stream.finish(Usage(), Cost())).decode()))
        assert seen["content"] == body["content"]
        assert seen["stop_reason"] == body["stop_reason"]


def test_requests_come_back_from_the_hub_as_they_were(endpoint: Make) -> None:
    for one in recordings():
        if "count_tokens" in one["request"]["url"]:  # type: ignore[index,operator]
            continue
        body = sent(one)
        thinking = body.get("thinking") or {}
        made = Composer(
            endpoint(
                supported=None,
                late_system=True,
                thinking="adaptive" if thinking.get("type") == "adaptive" or "effort" in (body.get("output_config") or {}) else "budget",  # type: ignore[attr-defined,operator]
            )
        ).compose(conversation(request_of(one)))
        assert _normal(json.loads(made)) == _normal(body), one["file"]


def _normal(body: Wire) -> Wire:
    out = {key: value for key, value in body.items() if key not in ("model", "metadata") and value not in (False, [], {"type": "auto"})}
    system = out.get("system")
    if isinstance(system, str):
        out["system"] = [{"type": "text", "text": system}]
    if "system" in out:
        out["system"] = [_mark(block) for block in out["system"]]  # type: ignore[attr-defined]
    if "tools" in out:
        out["tools"] = [_mark({key: value for key, value in tool.items() if (key, value) != ("type", "custom")}) for tool in out["tools"]]  # type: ignore[attr-defined]
    out["messages"] = _messages(out["messages"])  # type: ignore[arg-type]
    return _mark(out)


def _messages(messages: list[Wire]) -> list[Wire]:
    out: list[Wire] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else [_block(block) for block in content]  # type: ignore[attr-defined]
        if out and out[-1]["role"] == message["role"] != "system":
            out[-1]["content"] = [*out[-1]["content"], *blocks]  # type: ignore[misc]
        else:
            out.append({"role": message["role"], "content": blocks})
    return out


def _block(block: Wire) -> Wire:
    out = _mark(block)
    if block["type"] == "tool_result":
        out = {key: value for key, value in out.items() if value is not False}
        if isinstance(out.get("content"), str):
            out["content"] = [{"type": "text", "text": out["content"]}]
    return out


def _mark(block: Wire) -> Wire:
    """Five minutes are the default."""
    if (block.get("cache_control") or {}).get("ttl") == "5m":  # type: ignore[attr-defined]
        return {**block, "cache_control": {"type": "ephemeral"}}
    return dict(block)


def test_requests_pass_through_with_their_bytes(endpoint: Make) -> None:
    for one in recordings():
        raw = json.dumps(sent(one), indent=1).encode()
        request = parse(raw)
        body = json.loads(Splicer(endpoint()).splice(request))
        assert {**body, **{key: value for key, value in sent(one).items() if key not in ("model", "metadata")}} == body
        out = Splicer(endpoint()).splice(request)
        for key in ("messages", "tools"):
            assert key not in request.fields or bytes(request.fields[key]) in out


def test_counts_are_read(endpoint: Make) -> None:
    for one in choose("count_tokens"):
        body = one["response"]["body"]  # type: ignore[index]
        assert forwarded(json.dumps(body).encode()) == body["input_tokens"]
        request = parse(json.dumps(sent(one)).encode())
        assert json.loads(Splicer(endpoint()).count(request)) == {**sent(one), "model": "up-1"}


def test_refusals_are_classed() -> None:
    kinds = {classify(404, {}, json.dumps(one["response"]["body"]).encode()).kind for one in choose("error")}  # type: ignore[index]
    assert kinds == {"model_access"}
