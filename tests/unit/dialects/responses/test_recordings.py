"""Real traffic of OpenAI's, Azure's, Bedrock's and OpenRouter's Responses API, where the recordings are at hand."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest
from endpoints import PLAIN
from grammar_responses import check, follow
from msgspec.structs import replace
from openai.types.responses import Response

from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.refusals import KINDS, classify
from trunkline.dialects.responses.compose import Composer
from trunkline.dialects.responses.decoder import ResponsesDecoder
from trunkline.dialects.responses.encoder import ResponsesEncoder
from trunkline.dialects.responses.prepare import Splicer
from trunkline.dialects.responses.reply import ResponsesReply
from trunkline.dialects.responses.request import parse
from trunkline.dialects.responses.stream import ResponsesStream
from trunkline.dialects.responses.turns import conversation
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

ROOT = Path(__file__).parents[5] / "shared" / "cassettes"
ENDPOINT = replace(PLAIN, dialect="responses")
REASONING = replace(ENDPOINT, supported_parameters=None)
IDENTITY = Identity("gen-1-x", "a/b", "P", 1)

NO_ANSWERS = {
    "response.compaction": "the answer of POST /responses/compact, which is another operation",
    "response.input_tokens": "the answer of POST /responses/input_tokens, which is another operation",
    "queued": "a background response: nothing is stored here",
    "in_progress": "a background response: nothing is stored here",
}
"""What a recording of status 200 may be instead of an answer, and why it is not read as one."""

REFUSED = {
    "background": "a background response: nothing is stored here",
    "conversation": "a conversation that OpenAI stores",
    "previous_response_id": "a response that OpenAI has stored",
    "store": "a response that OpenAI shall store",
}
"""Fields of recorded requests that are refused, and why."""

CONTINUED = "test_background_mode_streaming_starting_after_vcr.1"
"""A stream that goes on where another has stopped: it has no `response.created`."""
TRIMMED = "mcp_list_tools_stream_backfills_missing_results"
"""A stream from which the recorder's authors took events out."""

pytestmark = pytest.mark.skipif(not ROOT.exists(), reason="the recordings are not part of the repository")

Recording = dict[str, object]


@cache
def recordings() -> tuple[Recording, ...]:
    def read() -> Iterator[Recording]:
        for row in msgspec.json.decode((ROOT / "index.json").read_bytes()):
            if "ep:responses" in row["features"]:
                document = msgspec.json.decode((ROOT / row["file"]).read_bytes())
                yield {**document, "file": row["file"], "status": row["status"]}

    return tuple(read())


def bodies() -> Iterator[tuple[str, dict[str, object]]]:
    """The recorded answers that came whole, with status 200."""
    for one in recordings():
        body = one["response"]["body"]  # type: ignore[index]
        if one["status"] == 200 and isinstance(body, dict):
            kind = body["status"] if body.get("status") in NO_ANSWERS else body["object"]
            if kind not in NO_ANSWERS:
                yield str(one["file"]), body


def streams() -> Iterator[tuple[str, list[bytes]]]:
    """The payloads of the recorded streams."""
    for one in recordings():
        body = one["response"]["body"]  # type: ignore[index]
        if isinstance(body, str):
            yield str(one["file"]), [line[5:].strip().encode() for line in body.splitlines() if line.startswith("data:")]


def requests() -> Iterator[tuple[str, dict[str, object]]]:
    for one in recordings():
        body = one["request"]["body"]  # type: ignore[index]
        if isinstance(body, dict) and not any(body.get(name) for name in REFUSED):
            yield str(one["file"]), body


def decoder() -> ResponsesDecoder:
    return ResponsesDecoder(ENDPOINT, Conversation(turns=()), seed="s")


def parts(response: dict[str, object], kind: str, key: str) -> str:
    found = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]  # type: ignore[attr-defined]
    return "".join(part[key] for part in found if part["type"] == kind)


def calls(response: dict[str, object]) -> list[tuple[str, str]]:
    return [(item["name"], item["arguments"]) for item in response["output"] if item["type"] == "function_call"]  # type: ignore[attr-defined]


def encrypted(response: dict[str, object]) -> list[str]:
    listed = [item.get("encrypted_content") for item in response["output"] if item["type"] == "reasoning"]  # type: ignore[attr-defined]
    return [data for data in listed if data]


def agree(answer: Answer, response: dict[str, object], *, exact_data: bool = True) -> None:
    """An answer says what the recorded response says."""
    assert answer.error is None
    assert "".join(block.joined("text") for block in answer.blocks if block.kind == "text") == parts(response, "output_text", "text")
    assert [(call.name, call.joined("arguments")) for call in answer.tool_calls] == calls(response)
    data = [block.joined("data") for block in answer.blocks if block.kind == "reasoning" and block.joined("data")]
    assert len(data) == len(encrypted(response))
    assert data == encrypted(response) or not exact_data
    assert answer.usage is not None
    assert {**answer.usage, **response["usage"]} == answer.usage  # type: ignore[dict-item]
    assert answer.finish is not None
    assert answer.finish.reason == ("tool_calls" if calls(response) else "stop")
    assert len({call.id for call in answer.tool_calls}) == len(answer.tool_calls)


def test_there_are_recordings() -> None:
    assert len(list(bodies())) > 180
    assert len(list(streams())) >= 25
    assert len(list(requests())) > 200


def test_whole_answers_are_decoded_in_full() -> None:
    for _, body in bodies():
        agree(fold(decoder().whole(msgspec.json.encode(body))), body)


def test_what_is_no_answer_is_a_failure() -> None:
    for one in recordings():
        body = one["response"]["body"]  # type: ignore[index]
        if (
            one["status"] == 200
            and isinstance(body, dict)
            and (body.get("status") in NO_ANSWERS or body["object"] == "response.input_tokens")
        ):
            answer = fold(decoder().whole(msgspec.json.encode(body)))
            assert answer.error is not None
            assert answer.error.kind == "malformed"


def test_streams_are_decoded_in_full_and_fold_to_the_whole() -> None:
    for name, payloads in streams():
        slow = decoder()
        events = [event for payload in payloads for event in slow.feed([payload])]
        assert slow.done
        fast = decoder()
        assert fast.feed(payloads) + fast.close() == events
        response = msgspec.json.decode(payloads[-1])["response"]
        answer = fold(events)
        # Encrypted reasoning is encrypted anew for the last event.
        agree(answer, response, exact_data=False)
        if TRIMMED not in name:
            whole = fold(decoder().whole(msgspec.json.encode(response)))
            assert [(b.kind, b.id, b.name, b.joined("text"), b.joined("summary")) for b in answer.blocks] == [
                (b.kind, b.id, b.name, b.joined("text"), b.joined("summary")) for b in whole.blocks
            ]


def test_decoded_answers_make_legal_streams_and_bodies() -> None:
    request = parse(b'{"model":"a/b","input":"hi"}')
    for _, body in bodies():
        events = decoder().whole(msgspec.json.encode(body))
        answer = fold(events)
        encoder = ResponsesEncoder(IDENTITY, request)
        response = check(encoder.feed(events) + encoder.finish(answer, Usage(), Cost())).response
        whole = msgspec.json.decode(ResponsesEncoder(IDENTITY, request).whole(answer, Usage(), Cost()))
        assert whole == response
        assert whole["output_text"] == parts(body, "output_text", "text")
        assert calls(whole) == calls(body)
        assert encrypted(whole) == encrypted(body)
        # Items of server tools are the upstream's own, and newer than the SDK's types.
        Response.model_validate({**whole, "output": [item for item in whole["output"] if item["type"] in OWN_ITEMS]})


def test_streams_pass_through_with_their_bytes() -> None:
    request = parse(b'{"model":"a/b","input":"hi","stream":true}')
    for name, payloads in streams():
        one = ResponsesStream(IDENTITY, ENDPOINT, request)
        out = b"".join(one.feed([payload]) for payload in payloads)
        assert one.error is None
        assert one.committed
        assert one.done
        out += one.finish(Usage(), Cost(10**12))
        final = msgspec.json.decode(payloads[-1])["response"]
        for payload in payloads:
            if b'"response":{' not in payload:
                assert payload in out
        events = [
            msgspec.json.decode(frame.partition(b"\ndata: ")[2]) for frame in out.removesuffix(b"data: [DONE]\n\n").split(b"\n\n")[:-1]
        ]
        assert [event["type"] for event in events] == [msgspec.json.decode(payload)["type"] for payload in payloads]
        last = events[-1]["response"]
        assert (last["id"], last["model"], last["provider"], last["usage"]["cost"]) == ("gen-1-x", "a/b", "P", 1.0)
        assert last["output"] == final["output"]
        assert one.upstream_id == final["id"]
        assert one.usage is not None
        assert {**one.usage, **final["usage"]} == one.usage
        assert [(call.name, call.arguments) for call in one.tool_calls] == calls(final)
        assert one.finish_reason == ("tool_calls" if calls(final) else "stop")
        if CONTINUED not in name and TRIMMED not in name:
            follow(events)


def test_whole_answers_pass_through_with_their_output() -> None:
    request = parse(b'{"model":"a/b","input":"hi"}')
    for _, body in bodies():
        one = ResponsesReply(IDENTITY, ENDPOINT, request)
        one.decode(msgspec.json.encode(body))
        assert one.error is None
        assert not one.empty
        out = msgspec.json.decode(one.encode(Usage(), Cost()))
        assert out["output"] == body["output"]
        assert {**body, **out} == {**out, "billing": body.get("billing")} or "billing" not in body
        assert [(call.name, call.arguments) for call in one.tool_calls] == calls(body)


def test_answers_of_openrouter_keep_every_field() -> None:
    kept = 0
    for name, body in bodies():
        if "/openrouter/" in name:
            identity = Identity(body["id"], body["model"], "OpenAI", body["created_at"])  # type: ignore[arg-type]
            one = ResponsesReply(identity, ENDPOINT, parse(b'{"model":"a/b","input":"hi"}'))
            one.decode(msgspec.json.encode(body))
            out = msgspec.json.decode(one.encode(Usage(), Cost()))
            assert out == {**out, **body, "usage": out["usage"]}
            assert body["usage"].keys() <= out["usage"].keys()  # type: ignore[attr-defined]
            kept += 1
    assert kept == 2


def test_requests_that_ask_for_stored_state_are_refused() -> None:
    refused = set()
    for one in recordings():
        body = one["request"]["body"]  # type: ignore[index]
        named = {name for name in REFUSED if isinstance(body, dict) and body.get(name)}
        if named:
            with pytest.raises(ApiError) as caught:
                parse(msgspec.json.encode(body))
            refused.add(caught.value.message.partition(":")[0])
            assert refused <= set(REFUSED)
    assert refused == set(REFUSED)


def test_composed_requests_say_the_same() -> None:
    for _, body in requests():
        composed = msgspec.json.decode(Composer(REASONING).compose(conversation(parse(msgspec.json.encode(body)))))
        assert atoms(composed) == atoms(body)
        for key in (
            "tools",
            "parallel_tool_calls",
            "temperature",
            "prompt_cache_key",
            "prompt_cache_options",
            "service_tier",
            "truncation",
        ):
            assert composed.get(key) == (body.get(key) if body.get(key) != [] else None)
        assert composed.get("tool_choice", "auto") == body.get("tool_choice", "auto")
        asked = {key.replace("generate_", ""): value for key, value in body.get("reasoning", {}).items() if value is not None}  # type: ignore[attr-defined]
        assert composed.get("reasoning", {}) == asked
        assert composed.get("text", {}) == {key: value for key, value in body.get("text", {}).items() if value != {"type": "text"}}  # type: ignore[attr-defined]
        assert set(body.get("include") or ()) - {"message.output_text.logprobs"} <= set(composed.get("include") or ())  # type: ignore[call-overload]
        assert composed["stream"] == body.get("stream", False)
        assert composed["store"] is False


def atoms(body: dict[str, object]) -> list[object]:
    """The smallest pieces of an input with all that counts: how they are packed into messages does not, nor do empty texts.

    What the hub does not carry is left out: the namespace of a call, and the detail of an image that is named by a file id.
    """
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    out: list[object] = []
    if body.get("instructions"):
        out.append(("system", None, {"type": "text", "text": body["instructions"]}))
    for item in items:  # type: ignore[attr-defined]
        if item.get("type", "message") == "message":
            out.extend((item["role"], item.get("phase"), part) for part in map(plain_part, packed(item["content"])))
        elif item["type"] == "function_call_output":
            out.append({**item, "output": [plain_part(part) for part in packed(item["output"])]})
        else:
            out.append(
                {key: value for key, value in item.items() if key not in ("status", "namespace") and (item["type"], key) not in NAMELESS}
            )
    return out


OWN_ITEMS = ("message", "reasoning", "function_call", "custom_tool_call", "image_generation_call")

NAMELESS = {("function_call", "id")}
"""Ids of items that nothing refers to: a call is known by its `call_id`."""


def packed(content: object) -> list[dict[str, object]]:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [part for part in parts if part.get("text") != ""]  # type: ignore[attr-defined]


def plain_part(part: dict[str, object]) -> dict[str, object]:
    kind = {"input_text": "text", "output_text": "text"}.get(str(part["type"]), part["type"])
    more = {"detail": "auto" if "file_id" in part else part.get("detail", "auto")} if kind == "input_image" else {}
    return {**{key: value for key, value in part.items() if key not in ("annotations", "logprobs")}, **more, "type": kind}


def test_spliced_requests_keep_the_bytes_of_input_and_tools() -> None:
    for _, body in requests():
        raw = msgspec.json.encode(body)
        spliced = Splicer(REASONING).splice(parse(raw))
        before, after = (msgspec.json.decode(data, type=dict[str, msgspec.Raw]) for data in (raw, spliced))
        for key in ("input", "tools", "instructions", "text", "reasoning"):
            assert after.get(key) == before.get(key)
        assert {"models", "provider", "plugins", "metadata"}.isdisjoint(after)
        assert (bytes(after["store"]), bytes(after["model"])) == (b"false", b'"m"')


def test_refusals_are_classed() -> None:
    kinds = set()
    for one in recordings():
        if one["status"] == 400:
            got = classify(400, {}, msgspec.json.encode(one["response"]["body"]))  # type: ignore[index]
            assert got.kind in KINDS
            kinds.add((got.code, got.kind))
    assert ("model_not_found", "model_access") in kinds
    assert ("invalid_value", "caller_fault") in kinds
