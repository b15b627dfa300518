"""One test for each class of adapter bugs (the table of 25 in the adapters' design) that this dialect can show."""

import msgspec
import pytest
from endpoints import PLAIN
from grammar_responses import check
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import (
    Conversation,
    Format,
    Image,
    Reasoning,
    ReasoningWish,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from trunkline.dialects.hub.events import Failure, Finish
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.compose import Composer
from trunkline.dialects.responses.decoder import ResponsesDecoder
from trunkline.dialects.responses.encoder import ResponsesEncoder
from trunkline.dialects.responses.envelope import render
from trunkline.dialects.responses.prepare import Splicer
from trunkline.dialects.responses.request import parse
from trunkline.dialects.responses.stream import ResponsesStream
from trunkline.dialects.responses.turns import conversation
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Cost, Usage

ENDPOINT = replace(PLAIN, dialect="responses")
IDENTITY = Identity("gen-1-x", "a/b", "P", 7)
ENCRYPTED = (
    "gAAAAABo5kf5xn6cAv4jZi6LDABpXHtrd1qzU0V68_w3dCOTzg7EVKvB8i56Yah1EC7B4i7Zh3fO1H3Q6sdGS-jULiPLQdtu6TOMlNeZir_mGMVRih89fRk2UBKdwh0=="
)


def decoder(talk: Conversation | None = None, *, seed: str = "s") -> ResponsesDecoder:
    return ResponsesDecoder(ENDPOINT, talk or Conversation(turns=()), seed=seed)


def decode(*output: object, status: str = "completed", **fields: object) -> Answer:
    body = {"id": "resp_1", "object": "response", "status": status, "output": output, "usage": {"input_tokens": 1}, **fields}
    return fold(decoder().whole(msgspec.json.encode(body)))


def reencoded(answer: Answer) -> dict[str, object]:
    encoder = ResponsesEncoder(IDENTITY, parse(b'{"model":"a/b","input":"hi"}'))
    return msgspec.json.decode(encoder.whole(answer, Usage(), Cost()))  # type: ignore[no-any-return]


def compose(talk: Conversation, endpoint: Endpoint = ENDPOINT) -> dict[str, object]:
    return msgspec.json.decode(Composer(endpoint).compose(talk))  # type: ignore[no-any-return]


def replayed(*items: object, endpoint: Endpoint = ENDPOINT) -> list[dict[str, object]]:
    """The input an upstream gets when a client sends these items."""
    talk = conversation(parse(msgspec.json.encode({"model": "a/b", "input": [*items, {"role": "user", "content": "go on"}]})))
    return compose(talk, endpoint)["input"]  # type: ignore[return-value]


def test_bug_01_encrypted_reasoning_comes_back_exactly_and_in_its_place() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": ENCRYPTED}
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
    second = {**reasoning, "id": "rs_2", "encrypted_content": ENCRYPTED[::-1]}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "a", "annotations": []}]}
    given = reencoded(decode(reasoning, call, second, message))["output"]
    assert isinstance(given, list)
    got = replayed(*given[:2], {"type": "function_call_output", "call_id": "c", "output": "r"}, *given[2:])
    assert [item["type"] for item in got] == ["reasoning", "function_call", "function_call_output", "reasoning", "message", "message"]
    assert [(got[index]["id"], got[index]["encrypted_content"]) for index in (0, 3)] == [("rs_1", ENCRYPTED), ("rs_2", ENCRYPTED[::-1])]


def test_bug_02_reasoning_of_another_family_is_never_forwarded() -> None:
    signed = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "hm"}],
        "signature": "c2ln",
        "format": "anthropic-claude-v1",
    }
    message = {"role": "assistant", "content": "a"}
    assert b"c2ln" not in msgspec.json.encode(replayed(signed, message))
    spliced = Splicer(ENDPOINT).splice(parse(msgspec.json.encode({"model": "a/b", "input": [signed, message]})))
    assert b"reasoning" not in spliced
    xai = replace(ENDPOINT, quirks=Quirks(reasoning_formats=("xai-responses-v1",)))
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": ENCRYPTED, "format": "openai-responses-v1"}
    assert [item["type"] for item in replayed(own, message, endpoint=xai)] == ["message", "message"]


def test_bug_05_arguments_are_complete_however_they_are_told() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": ""}
    done = {**call, "arguments": '{"a":1}'}

    def event(kind: str, **fields: object) -> bytes:
        return msgspec.json.encode({"type": f"response.{kind}", "output_index": 0, **fields})

    added, end = event("output_item.added", item=call), event("completed", response={"status": "completed", "output": [done]})
    tellings = (
        [added, event("function_call_arguments.delta", delta='{"a":1}'), event("output_item.done", item=done)],
        [added, event("function_call_arguments.done", arguments='{"a":1}')],
        [added, event("output_item.done", item=done)],
        [event("output_item.added", item=done), event("output_item.done", item=done)],
        [event("output_item.done", item=done)],
        [added, event("function_call_arguments.delta", delta='{"a"')],
        [],
    )
    for payloads in tellings:
        (block,) = fold(decoder().feed([*payloads, end])).tool_calls
        assert (block.id, block.name, block.joined("arguments")) == ("c", "f", '{"a":1}')


def test_bug_06_finish_reasons_are_true() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    custom = {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}
    cut = {"incomplete_details": {"reason": "max_output_tokens"}}
    assert decode(call).finish == Finish("tool_calls", "completed")
    assert decode(custom).finish == Finish("tool_calls", "completed")
    assert decode(call, status="incomplete", **cut).finish == Finish("length", "max_output_tokens")
    assert decode().finish == Finish("stop", "completed")
    told = reencoded(decode(call, status="incomplete", **cut))
    assert (told["status"], told["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


def test_bug_11_schemas_and_arguments_keep_their_bytes() -> None:
    schema = b'{"type":"object","z":{"b":1.0,"a":12345678901234567890},"additionalProperties":false}'
    arguments = '{"z": 1.0, "a":12345678901234567890}'
    tools = (Tool(name="z", parameters=Raw(schema)), Tool(name="a", parameters=Raw(b"{}")))
    call = Turn(role="assistant", blocks=(ToolCall(id="c", name="z", arguments=arguments),))
    body = Composer(ENDPOINT).compose(Conversation(turns=(call,), tools=tools))
    assert schema in body
    assert msgspec.json.encode(arguments) in body
    assert body.index(b'"name":"z","parameters"') < body.index(b'"name":"a","parameters"')


def test_bug_13_no_item_is_lost_between_dialects() -> None:
    output = (
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "s"}],
            "content": [{"type": "reasoning_text", "text": "t"}],
        },
        {"type": "message", "id": "m1", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        {
            "type": "message",
            "id": "m2",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "b"}, {"type": "refusal", "refusal": "n"}],
        },
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "g", "input": "ls"},
        {"type": "apply_patch_call", "id": "apc_1", "call_id": "d", "operation": {"type": "delete_file", "path": "x"}},
        {"type": "tool_search_call", "id": "ts_1", "arguments": {"q": "x"}},
    )
    answer = decode(*output)
    assert [block.kind for block in answer.blocks] == ["reasoning", "text", "text", "refusal", "tool_call", "opaque", "opaque"]
    listed = reencoded(answer)["output"]
    assert isinstance(listed, list)
    assert [item["type"] for item in listed] == [
        *("reasoning", "message", "message", "message", "custom_tool_call", "apply_patch_call", "tool_search_call")
    ]
    back = replayed(*listed)
    assert [item["type"] for item in back if item["type"] != "message"] == [
        *("reasoning", "custom_tool_call", "apply_patch_call", "tool_search_call")
    ]
    assert all("role" not in item for item in back if item["type"] != "message")


def test_bug_13_results_are_text_or_parts_never_objects() -> None:
    result = ToolResult(id="c", blocks=(Text(text="a"), Text(text="b")))
    turns = (Turn(role="assistant", blocks=(ToolCall(id="c", name="f"),)), Turn(role="tool", blocks=(result,)))
    output = compose(Conversation(turns=turns))["input"][1]["output"]  # type: ignore[index]
    assert output == [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"boom"}}}',
        b'{"type":"error","code":"server_error","message":"boom","param":null}',
        b'{"error":{"code":"server_error","message":"boom"}}',
    ],
)
def test_bug_14_an_error_after_content_is_told(payload: bytes) -> None:
    delta = b'{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hel"}'
    events = decoder().feed([delta, payload])
    assert isinstance(events[-1], Failure)
    assert events[-1].error.message == "boom"
    assert not any(isinstance(event, Finish) for event in events)
    encoder = ResponsesEncoder(IDENTITY, parse(b'{"model":"a/b","input":"hi"}'))
    grammar = check(encoder.feed(events[:-1]) + encoder.fail(ApiError("provider_unavailable", "boom")))
    assert grammar.terminal == "response.failed"
    assert grammar.response["error"] == {"code": "server_error", "message": "boom"}


def test_bug_15_a_stream_without_an_end_has_no_finish() -> None:
    delta = b'{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hel"}'
    one = decoder()
    assert fold(one.feed([delta]) + one.close()).finish is None
    assert not one.done
    passing = ResponsesStream(IDENTITY, ENDPOINT, parse(b'{"model":"a/b","input":"hi"}'))
    passing.feed([delta])
    passing.end()
    assert (passing.finish_reason, passing.done) == (None, False)


def test_bug_15_a_stream_ends_without_done() -> None:
    one = decoder()
    one.feed([b'{"type":"response.completed","response":{"status":"completed","output":[]}}'])
    assert one.done


def test_bug_18_schemas_are_not_touched() -> None:
    schema = Raw(
        b'{"$defs":{"n":{"type":"object","properties":{"ref":{"type":"string"},"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}}}},'
        b'"$ref":"#/$defs/n","additionalProperties":false,"const":1}'
    )
    form = Format(kind="json_schema", name="n", schema=schema, strict=True)
    body = Composer(ENDPOINT).compose(Conversation(turns=(), tools=(Tool(name="f", parameters=schema, strict=True),), format=form))
    assert body.count(bytes(schema)) == 2


def test_bug_19_names_and_ids_fit_and_come_back() -> None:
    name = "mcp.server/tool:" + "x" * 60
    identifier = "resp_" + "y" * 70 + ":call_0"
    turns = (
        Turn(role="assistant", blocks=(ToolCall(id=identifier, name=name),)),
        Turn(role="tool", blocks=(ToolResult(id=identifier, blocks=(Text(text="r"),)),)),
    )
    talk = Conversation(turns=turns, tools=(Tool(name=name),), tool_choice=ToolChoice(mode="function", name=name))
    body = compose(talk)
    sent = body["tools"][0]["name"]  # type: ignore[index]
    call, result = body["input"]  # type: ignore[misc]
    assert len(sent) <= 64
    assert body["tool_choice"] == {"type": "function", "name": sent}
    assert call["name"] == sent
    assert call["call_id"] == result["call_id"]
    assert len(call["call_id"]) <= 64
    item = {"type": "function_call", "call_id": "c", "name": sent, "arguments": "{}"}
    payload = msgspec.json.encode({"type": "response.output_item.done", "output_index": 0, "item": item})
    assert fold(decoder(talk).feed([payload])).tool_calls[0].name == name


def test_bug_19_ids_that_begin_anew_do_not_meet() -> None:
    """Bedrock counts call ids from `call_0` in each response."""
    item = {"type": "function_call", "call_id": "call_0", "name": "f", "arguments": "{}"}
    payload = msgspec.json.encode({"type": "response.output_item.done", "output_index": 0, "item": item})
    ids = [fold(decoder(seed=seed).feed([payload])).tool_calls[0].id for seed in ("gen-1", "gen-2", "gen-1")]
    assert ids[0] == ids[2] != ids[1]


def test_bug_21_parameters_are_the_upstreams() -> None:
    talk = Conversation(
        turns=(),
        max_tokens=5,
        stop=("x",),
        sampling=Sampling(temperature=1.0, frequency_penalty=1.0, seed=1, logit_bias=Raw(b"{}")),
        reasoning=ReasoningWish(max_tokens=2000),
        stream=True,
    )
    body = compose(talk, replace(ENDPOINT, supported_parameters=frozenset(("reasoning", "max_tokens"))))
    assert body == {
        "model": "m",
        "input": [],
        "store": False,
        "stream": True,
        "max_output_tokens": 16,
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    }


def test_bug_22_pictures_in_results_are_pictures() -> None:
    picture = Image(data="AAAA", media_type="image/png")
    turns = (
        Turn(role="assistant", blocks=(ToolCall(id="c", name="f"),)),
        Turn(role="tool", blocks=(ToolResult(id="c", blocks=(picture,)),)),
    )
    output = compose(Conversation(turns=turns))["input"][1]["output"]  # type: ignore[index]
    assert output == [{"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"}]
    (item,) = [{"type": "function_call_output", "call_id": "c", "output": output}]
    request = parse(msgspec.json.encode({"model": "a/b", "input": [item]}))
    (result,) = conversation(request).turns[0].blocks
    assert isinstance(result, ToolResult)
    assert result.blocks == (Image(data="AAAA", media_type="image/png", detail="auto"),)
    assert request.modalities == {"image"}


def test_bug_24_errors_keep_who_they_are() -> None:
    quota = fold(decoder().feed([b'{"type":"error","code":"insufficient_quota","message":"m"}'])).error
    length = fold(decoder().whole(b'{"error":{"code":"context_length_exceeded","message":"m"}}')).error
    assert quota is not None
    assert length is not None
    assert (quota.kind, length.kind) == ("quota", "context_length")
    body = msgspec.json.decode(render(ApiError("rate_limit_exceeded", "m")))
    assert (body["error"]["code"], body["error_type"], body["metadata"]) == (429, "rate_limit_exceeded", None)


@pytest.mark.parametrize(
    "payload",
    [
        b'\xef\xbb\xbf{"type":"response.output_text.delta","delta":"a"}',
        b'{"type":"response.output_text.delta","delta":"a","output_index":null,"content_index":null,"item_id":null}',
        b'{"type":"response.output_text.delta","delta":"a","logprobs":null,"sequence_number":"x"}',
        b'{"type":"response.output_item.done","item":{"type":"message","id":null,"content":[{"type":"output_text","text":"a","annotations":null}]}}',
    ],
)
def test_bug_25_loose_events_are_read(payload: bytes) -> None:
    one = decoder()
    answer = fold(one.feed([b"", b"{}", payload, b'{"type":"response.output_item.done","item":null}', b"[DONE]"]))
    assert answer.error is None
    assert [block.joined("text") for block in answer.blocks] == ["a"]
    assert one.done


def test_bug_25_the_reasoning_of_a_repaired_request_is_left_out() -> None:
    """What `inference` sends once more without reasoning is legal: nothing in it leans on what was taken out."""
    thought = Reasoning(kind="encrypted", data=ENCRYPTED, format="openai-responses-v1", id="rs_1")
    turn = Turn(role="assistant", blocks=(thought, ToolCall(id="c", name="f")))
    stripped = replace(turn, blocks=turn.blocks[1:])
    assert [item["type"] for item in compose(Conversation(turns=(stripped,)))["input"]] == ["function_call"]  # type: ignore[attr-defined,index]
