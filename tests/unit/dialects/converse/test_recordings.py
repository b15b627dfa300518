"""Bedrock's own answers and the requests that led to them, where the recordings are at hand."""

import base64
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from endpoints import PLAIN
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.converse.address import url
from trunkline.dialects.converse.compose import Composer
from trunkline.dialects.converse.decoder import ConverseDecoder
from trunkline.dialects.converse.frames import Frames
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import (
    Block,
    Conversation,
    File,
    Image,
    Opaque,
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
from trunkline.dialects.refusals import classify
from trunkline.protocol.quirks import Quirks

ROOT = Path(__file__).parents[5] / "shared" / "cassettes"

SKIPPED = {
    "invoke": "embeddings, and the body of another dialect",
    "count-tokens": "no answer",
    "responses": "the responses dialect",
    "completions": "the chat dialect",
}
"""Methods that are not this dialect's, with the reason."""

pytestmark = pytest.mark.skipif(not ROOT.exists(), reason="the recordings are not part of the repository")


@cache
def recordings() -> tuple[tuple[str, Any], ...]:
    def read() -> Iterator[tuple[str, Any]]:
        for row in msgspec.json.decode((ROOT / "index.json").read_bytes()):
            if row["provider"] == "bedrock":
                document = msgspec.json.decode((ROOT / row["file"]).read_bytes())
                if document["request"]["url"].rpartition("/")[2] not in SKIPPED:
                    yield row["file"], document

    return tuple(read())


def binary(body: Any) -> bytes | None:
    return base64.b64decode(body["base64"]) if "base64" in body else None


@cache
def answers() -> dict[str, Answer]:
    return {name: decoded(document["response"]["body"]) for name, document in recordings() if document["response"]["status"] == 200}


def decoded(body: Any) -> Answer:
    one = ConverseDecoder(PLAIN, Conversation(turns=()), seed="gen-1")
    data = binary(body)
    if data is None:
        return fold(one.whole(msgspec.json.encode(body)))
    splitter = Frames()
    events = [event for start in range(0, len(data), 97) for event in one.feed(splitter.feed(data[start : start + 97]))]
    answer = fold(events + one.feed(splitter.close()) + one.close())
    assert one.done
    return answer


def said(body: Any) -> dict[str, Any]:
    """What a recording says, read by other means: blocks by index, stop reason, usage."""
    data = binary(body)
    if data is None:
        blocks = dict(enumerate(body["output"]["message"]["content"]))
        return {"blocks": blocks, "stop": body["stopReason"], "usage": body["usage"]}
    found: dict[str, Any] = {"blocks": {}}
    while data:
        size, head = int.from_bytes(data[:4]), int.from_bytes(data[4:8])
        event, data = msgspec.json.decode(data[12 + head : size - 4]), data[size:]
        found["stop"] = event.get("stopReason", found.get("stop"))
        found["usage"] = event.get("usage", found.get("usage"))
        if "contentBlockIndex" in event:
            add(found["blocks"].setdefault(event["contentBlockIndex"], {}), event.get("start", {}))
            add(found["blocks"][event["contentBlockIndex"]], event.get("delta", {}))
    for block in found["blocks"].values():
        if "input" in block.get("toolUse", {}):
            block["toolUse"]["input"] = msgspec.json.decode(block["toolUse"]["input"])
    return found


def add(block: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict):
            add(block.setdefault(key, {}), value)
        elif isinstance(value, list):
            block[key]["content"] = value
        else:
            block[key] = block[key] + value if key in block else value


def test_there_are_recordings() -> None:
    assert len(recordings()) == 162
    assert sum("base64" in document["response"]["body"] for _, document in recordings()) == 7
    assert {document["response"]["status"] for _, document in recordings()} == {200, 400}


def test_answers_come_out_as_they_were_given() -> None:
    finishes: Counter[object] = Counter()
    for name, document in recordings():
        if document["response"]["status"] != 200:
            continue
        wanted, answer = said(document["response"]["body"]), answers()[name]
        blocks = list(wanted["blocks"].values())
        assert answer.error is None, name
        assert answer.finish is not None, name
        assert answer.usage == wanted["usage"], name
        assert answer.finish.native == wanted["stop"], name
        finishes[wanted["stop"], answer.finish.reason] += 1
        assert texts(answer, "text", "text") == "".join(block.get("text", "") for block in blocks), name
        thoughts = [block["reasoningContent"] for block in blocks if "reasoningContent" in block]
        plain = [{**one.get("reasoningText", {}), **one} for one in thoughts]
        assert texts(answer, "reasoning", "text") == "".join(one.get("text", "") for one in plain), name
        assert texts(answer, "reasoning", "signature") == "".join(one.get("signature", "") for one in plain), name
        calls = [block["toolUse"] for block in blocks if "toolUse" in block]
        mine = [call for call in calls if call.get("type") != "server_tool_use"]
        assert [(one.id, one.name, msgspec.json.decode(one.joined("arguments"))) for one in answer.tool_calls] == [
            (call["toolUseId"], call["name"], call.get("input", {})) for call in mine
        ], name
        opaque = [msgspec.json.decode(block.opaque.raw) for block in answer.blocks if block.opaque is not None]
        assert [one["toolUse"] for one in opaque if "toolUse" in one] == [call for call in calls if call not in mine], name
        assert [one["toolResult"] for one in opaque if "toolResult" in one] == [
            block["toolResult"] for block in blocks if "toolResult" in block
        ], name
    assert finishes == {("end_turn", "stop"): 82, ("tool_use", "tool_calls"): 68, ("max_tokens", "length"): 3}


def texts(answer: Answer, kind: str, delta: Any) -> str:
    return "".join(block.joined(delta) for block in answer.blocks if block.kind == kind)


def test_redacted_reasoning_is_anthropics_own() -> None:
    found = [block.joined("data") for answer in answers().values() for block in answer.blocks if block.joined("data")]
    assert len(found) == 4
    assert all(data.startswith("E") and data.isascii() for data in found)


def test_answers_go_back_as_they_came() -> None:
    """An answer that is the next request's history has the blocks, in the order and with the signatures, that the model made."""
    compared = 0
    for name, document in recordings():
        body = document["response"]["body"]
        if document["response"]["status"] != 200 or binary(body) is not None:
            continue
        endpoint = PLAIN if "anthropic" in document["request"]["url"] else replace(PLAIN, quirks=Quirks(thinking="level"))
        sent = compose(
            endpoint, Turn(role="user", blocks=(Text(text="q"),)), Turn(role="assistant", blocks=tuple(history(answers()[name])))
        )
        wanted = [block for block in body["output"]["message"]["content"] if not unsigned(block) and block.get("text", "x").strip()]
        got = sent["messages"][1]["content"] if len(sent["messages"]) > 1 else []
        assert [spelled(block) for block in got] == [spelled(block) for block in wanted], name
        compared += 1
    assert compared > 140


def unsigned(block: dict[str, Any]) -> bool:
    return "reasoningContent" in block and "signature" not in block["reasoningContent"].get("reasoningText", {"signature": ""})


def spelled(block: dict[str, Any]) -> dict[str, Any]:
    """A block without blanks at its end, which a last turn must not have, and without the kind of its call."""
    if "text" in block:
        return {"text": block["text"].rstrip()}
    if "toolUse" in block:
        return {"toolUse": {key: value for key, value in block["toolUse"].items() if key != "type"}}
    if "toolResult" in block:
        return {"toolResult": block["toolResult"]}
    return block


def history(answer: Answer) -> Iterator[Block]:
    for block in answer.blocks:
        if block.kind == "text":
            yield Text(text=block.joined("text"))
        elif block.kind == "reasoning" and block.joined("data"):
            yield Reasoning(kind="encrypted", data=block.joined("data"), format=block.format)
        elif block.kind == "reasoning":
            yield Reasoning(text=block.joined("text"), signature=block.joined("signature") or None, format=block.format)
        elif block.kind == "tool_call":
            yield ToolCall(id=block.id or "", name=block.name, arguments=block.joined("arguments"))
        elif block.opaque is not None:
            yield Opaque(dialect="converse", raw=block.opaque.raw)


def compose(endpoint: Any, *turns: Turn) -> Any:
    return msgspec.json.decode(Composer(endpoint).compose(Conversation(turns=turns)))


def test_requests_are_composed_as_they_were_sent() -> None:
    """Recorded requests, read into a conversation, come out the same: system, messages, tools, limits, thinking."""
    compared = 0
    for name, document in recordings():
        request = document["request"]["body"]
        if document["response"]["status"] != 200 or not isinstance(request, dict) or b"s3Location" in msgspec.json.encode(request):
            continue
        quirks = Quirks(media_in_tool_results=True, thinking=thinking_of(request))
        sent = msgspec.json.decode(Composer(replace(PLAIN, quirks=quirks)).compose(conversation(request)))
        assert sent["messages"] == filled(request["messages"]), name
        for key in ("system", "toolConfig", "inferenceConfig", "additionalModelRequestFields"):
            assert sent.get(key) == expected(request, key), (name, key)
        compared += 1
    assert compared > 120


def thinking_of(request: dict[str, Any]) -> Any:
    kind = (request.get("additionalModelRequestFields") or {}).get("thinking", {}).get("type")
    return {"adaptive": "adaptive", "enabled": "budget"}.get(kind, "none")


def expected(request: dict[str, Any], key: str) -> Any:
    """A part of a recorded request in our spelling."""
    value = request.get(key)
    if not value:
        return None
    if key == "toolConfig" and value.get("toolChoice") == {"auto": {}}:
        value = {"tools": value["tools"]}
    if key == "additionalModelRequestFields":
        value = {name: found for name, found in value.items() if name in ("thinking", "output_config", "top_k")} or None
    if key == "inferenceConfig" and "temperature" in value:
        value = {name: found for name, found in value.items() if name != "topP"}
    return value


def filled(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages that begin with the user's, with results that say of themselves only that they failed."""
    for block in (block for message in messages for block in message["content"]):
        if block.get("toolResult", {}).get("status") == "success":
            del block["toolResult"]["status"]
    first = [{"role": "user", "content": [{"text": "."}]}] if messages[0]["role"] == "assistant" else []
    return first + messages


def conversation(request: dict[str, Any]) -> Conversation:
    turns = [Turn(role="system", blocks=tuple(blocks_of(request.get("system") or [])))] if request.get("system") else []
    turns += [Turn(role=message["role"], blocks=tuple(blocks_of(message["content"]))) for message in request["messages"]]
    config, limits, fields = (
        request.get("toolConfig") or {},
        request.get("inferenceConfig") or {},
        request.get("additionalModelRequestFields") or {},
    )
    return Conversation(
        turns=tuple(turns),
        tools=tuple(tool_of(tool) for tool in config.get("tools", ())),
        tool_choice=choice_of(config.get("toolChoice")),
        max_tokens=limits.get("maxTokens"),
        sampling=Sampling(temperature=limits.get("temperature"), top_p=limits.get("topP"), top_k=fields.get("top_k")),
        stop=tuple(limits.get("stopSequences", ())),
        reasoning=wish_of(fields),
    )


def wish_of(fields: dict[str, Any]) -> Any:
    if "thinking" not in fields:
        return None
    budget = fields["thinking"].get("budget_tokens")
    return ReasoningWish(enabled=True, max_tokens=budget, effort=fields.get("output_config", {}).get("effort"))


def choice_of(choice: dict[str, Any] | None) -> ToolChoice:
    if choice and "tool" in choice:
        return ToolChoice(mode="function", name=choice["tool"]["name"])
    return ToolChoice(mode="required" if choice and "any" in choice else "auto")


def tool_of(tool: dict[str, Any]) -> Tool:
    if "systemTool" in tool:
        return Tool(name=tool["systemTool"]["name"], kind="server", dialect="converse", raw=Raw(msgspec.json.encode(tool)))
    spec = tool["toolSpec"]
    return Tool(
        name=spec["name"],
        description=spec.get("description"),
        parameters=Raw(msgspec.json.encode(spec["inputSchema"]["json"])),
        strict=spec.get("strict"),
    )


def blocks_of(content: list[dict[str, Any]]) -> list[Block]:
    blocks: list[Block] = []
    for block in content:
        if "cachePoint" in block:
            blocks[-1] = replace(blocks[-1], cache="5m")
        else:
            blocks.append(block_of(block))
    return blocks


TYPES = {"pdf": "application/pdf", "txt": "text/plain", "csv": "text/csv", "md": "text/markdown", "html": "text/html"}


def block_of(block: dict[str, Any]) -> Block:
    key, value = next(iter(block.items()))
    if key == "text":
        return Text(text=value)
    if key == "image":
        return Image(data=value["source"]["bytes"], media_type=f"image/{value['format']}")
    if key == "document":
        return File(data=value["source"]["bytes"], filename=f"{value['name']}.{value['format']}", media_type=TYPES[value["format"]])
    if key == "toolUse":
        return ToolCall(id=value["toolUseId"], name=value["name"], arguments=msgspec.json.encode(value["input"]).decode())
    if key == "toolResult":
        return ToolResult(id=value["toolUseId"], blocks=tuple(blocks_of(value["content"])), is_error=value.get("status") == "error")
    thought = value.get("reasoningText")
    if thought is None:
        data = base64.b64decode(value["redactedContent"]).decode()
        return Reasoning(kind="encrypted", data=data, format="anthropic-claude-v1")
    return Reasoning(text=thought["text"], signature=thought["signature"], format="anthropic-claude-v1")


def test_calls_went_where_ours_go() -> None:
    for name, document in recordings():
        base, _, path = document["request"]["url"].partition("/model/")
        model = unquote(path.rpartition("/")[0])
        endpoint = replace(PLAIN, base_url=base, upstream_model=model)
        assert url(endpoint, stream=path.endswith("-stream")) == document["request"]["url"], name


def test_refusals_are_classed() -> None:
    kinds = Counter(
        classify(400, {"x-amzn-errortype": "ValidationException"}, msgspec.json.encode(document["response"]["body"])).kind
        for _, document in recordings()
        if document["response"]["status"] == 400
    )
    assert kinds == {"model_access": 3, "caller_fault": 4, "unsupported_param": 2}
