"""Answers of the six dialects, read the way a strict client of each vendor would: whole bodies and streams to one form.

Written from the vendors' documentation, on purpose without the project's own decoders. An assertion fails where a stream breaks the
vendor's rules.
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

Json = dict[str, Any]
RESPONSE_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


@dataclass
class Said:
    """What an answer says. `calls`: id, name and argument text; `signatures`: signatures, encrypted and redacted reasoning in order."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    citations: list[str] = field(default_factory=list)
    finish: str = ""
    usage: Json = field(default_factory=dict)


def sse(body: bytes, gap: bytes = b"\n\n") -> Iterator[tuple[str, str]]:
    """Name and data of the events; the last one ends with a blank line too."""
    assert body.endswith(gap), body[-80:]
    for event in body.removesuffix(gap).split(gap):
        lines = event.decode().split("\n")
        names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        assert len(data) == 1, event
        yield names[0] if names else "", data[0]


def arguments(text: str) -> str:
    """JSON of arguments in one spelling, so that an object and its text compare; other text as it is."""
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


def chat_whole(body: bytes) -> Said:
    ChatCompletion.model_validate_json(body)
    reply = json.loads(body)
    message = reply["choices"][0]["message"]
    said = Said(text=message["content"] or "", reasoning=message.get("reasoning_content", ""), refusal=message["refusal"] or "")
    said.calls = [
        (call["id"], call["function"]["name"], arguments(call["function"]["arguments"])) for call in message.get("tool_calls", ())
    ]
    said.images = [image["image_url"]["url"] for image in message.get("images", ())]
    said.citations = [citation["url_citation"]["url"] for citation in message.get("annotations", ())]
    said.finish, said.usage = reply["choices"][0]["finish_reason"], reply.get("usage", {})
    return said


def chat_stream(body: bytes) -> Said:
    *events, last = sse(body)
    assert last == ("", "[DONE]")
    said = Said()
    calls: dict[int, list[str]] = {}
    for _, data in events:
        ChatCompletionChunk.model_validate_json(data)
        chunk = json.loads(data)
        said.usage = chunk.get("usage") or said.usage
        for choice in chunk["choices"]:
            delta = choice["delta"]
            said.finish = choice["finish_reason"] or said.finish
            said.text += delta.get("content") or ""
            said.reasoning += delta.get("reasoning_content") or ""
            said.refusal += delta.get("refusal") or ""
            said.images += [image["image_url"]["url"] for image in delta.get("images", ())]
            said.citations += [citation["url_citation"]["url"] for citation in delta.get("annotations", ())]
            for call in delta.get("tool_calls", ()):
                made = calls.setdefault(call["index"], [call.get("id", ""), call["function"].get("name", ""), ""])
                made[2] += call["function"]["arguments"]
    said.calls = [(name, tool, arguments(text)) for name, tool, text in calls.values()]
    return said


def _response(reply: Json) -> Said:
    Response.model_validate(reply)
    said = Said(finish=(reply["incomplete_details"] or {}).get("reason") or reply["status"], usage=reply["usage"] or {})
    for item in reply["output"]:
        if item["type"] == "reasoning":
            said.reasoning += "".join(part["text"] for part in item["summary"])
            said.signatures += [item["encrypted_content"]] if "encrypted_content" in item else []
        elif item["type"] == "message":
            said.text += "".join(part["text"] for part in item["content"] if part["type"] == "output_text")
            said.refusal += "".join(part["refusal"] for part in item["content"] if part["type"] == "refusal")
            said.citations += [note["url"] for part in item["content"] for note in part.get("annotations", ())]
        elif item["type"] == "image_generation_call":
            said.images.append(item["result"])
        else:
            said.calls.append((item["call_id"], item["name"], arguments(item["arguments"])))
    return said


def responses_whole(body: bytes) -> Said:
    return _response(json.loads(body))


def responses_stream(body: bytes) -> Said:
    """The last event holds everything; what the deltas said must be the same."""
    texts: dict[str, str] = {
        "output_text": "",
        "reasoning_text": "",
        "reasoning_summary_text": "",
        "refusal": "",
        "function_call_arguments": "",
    }
    last: Json = {}
    for number, (name, data) in enumerate(sse(body)):
        last = json.loads(data)
        RESPONSE_EVENT.validate_python(last)
        assert (last["type"], last["sequence_number"]) == (name, number)
        kind, _, step = name.removeprefix("response.").rpartition(".")
        if step == "delta":
            texts[kind] += last["delta"]
    assert last["type"] in ("response.completed", "response.incomplete", "response.failed")
    said = _response(last["response"])
    assert (texts["output_text"], texts["reasoning_summary_text"], texts["refusal"]) == (said.text, said.reasoning, said.refusal)
    made = "".join(item["arguments"] for item in last["response"]["output"] if item["type"] == "function_call")
    assert texts["function_call_arguments"] == made
    return said


def _blocks(blocks: list[Json], said: Said) -> Said:
    for block in blocks:
        if block["type"] == "text":
            said.text += block["text"]
            said.citations += [citation["url"] for citation in block.get("citations") or ()]
        elif block["type"] == "thinking":
            said.reasoning += block["thinking"]
            said.signatures.append(block["signature"])
        elif block["type"] == "redacted_thinking":
            said.signatures.append(block["data"])
        else:
            text = block["input"] if isinstance(block["input"], str) else json.dumps(block["input"])
            said.calls.append((block["id"], block["name"], arguments(text)))
    return said


def messages_whole(body: bytes) -> Said:
    reply = json.loads(body)
    assert (reply["type"], reply["role"]) == ("message", "assistant")
    return _blocks(reply["content"], Said(finish=reply["stop_reason"], usage=reply.get("usage", {})))


_GROWING = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


def messages_stream(body: bytes) -> Said:
    """One block is open at a time, indexes count up, and the start and the end frame them all."""
    events = [(name, json.loads(data)) for name, data in sse(body)]
    assert all(name == event["type"] for name, event in events)
    events = [(name, event) for name, event in events if name != "ping"]
    assert [name for name, _ in (events[0], *events[-2:])] == ["message_start", "message_delta", "message_stop"]
    usage = dict(events[0][1]["message"].get("usage", {}))
    blocks: list[Json] = []
    is_open = False
    for name, event in events[1:-2]:
        if name == "content_block_start":
            assert not is_open
            assert event["index"] == len(blocks)
            blocks.append({**event["content_block"], "json": ""})
        assert event["index"] == len(blocks) - 1
        is_open = name != "content_block_stop"
        if name == "content_block_delta":
            _grow(blocks[-1], event["delta"])
    assert not is_open
    for block in blocks:
        if block["type"] == "tool_use":
            block["input"] = block["json"] or "{}"
    ended = events[-2][1]
    return _blocks(blocks, Said(finish=ended["delta"]["stop_reason"], usage=usage | ended.get("usage", {})))


def _grow(block: Json, delta: Json) -> None:
    if delta["type"] == "input_json_delta":
        block["json"] += delta["partial_json"]
    elif delta["type"] == "citations_delta":
        block.setdefault("citations", []).append(delta["citation"])
    else:
        key = _GROWING[delta["type"]]
        block[key] += delta[key]


def _candidate(reply: Json, said: Said) -> Said:
    candidate = reply["candidates"][0]
    for part in candidate.get("content", {}).get("parts", ()):
        if "text" in part:
            name = "reasoning" if part.get("thought") else "text"
            setattr(said, name, getattr(said, name) + part["text"])
        elif "inlineData" in part:
            said.images.append(part["inlineData"]["data"])
        else:
            call = part["functionCall"]
            said.calls.append((call.get("id", ""), call["name"], arguments(json.dumps(call["args"]))))
        said.signatures += [part["thoughtSignature"]] if "thoughtSignature" in part else []
    said.citations += [chunk["web"]["uri"] for chunk in candidate.get("groundingMetadata", {}).get("groundingChunks", ())]
    said.finish = candidate.get("finishReason", said.finish)
    said.usage = reply.get("usageMetadata", said.usage)
    return said


def gemini_whole(body: bytes) -> Said:
    return _candidate(json.loads(body), Said())


def gemini_stream(body: bytes) -> Said:
    said = Said()
    for name, data in sse(body, b"\r\n\r\n"):
        assert (name, said.finish) == ("", "")
        _candidate(json.loads(data), said)
    return said


def frames(body: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    """Headers and payload of the frames of an event stream, with their checksums compared."""
    while body:
        total, named, checksum = struct.unpack("!III", body[:12])
        assert zlib.crc32(body[:8]) == checksum
        assert zlib.crc32(body[: total - 4]) == struct.unpack("!I", body[total - 4 : total])[0]
        head, headers = body[12 : 12 + named], {}
        while head:
            size = head[0]
            kind, length = struct.unpack("!BH", head[1 + size : 4 + size])
            assert kind == 7
            headers[head[1 : 1 + size].decode()] = head[4 + size : 4 + size + length].decode()
            head = head[4 + size + length :]
        yield headers, body[12 + named : total - 4]
        body = body[total:]


def _converse_block(block: Json, said: Said) -> None:
    reasoning = block.get("reasoningContent", {})
    said.text += block.get("text", "")
    if "reasoningText" in reasoning:
        said.reasoning += reasoning["reasoningText"]["text"]
        said.signatures.append(reasoning["reasoningText"]["signature"])
    if "redactedContent" in reasoning:
        said.signatures.append(base64.b64decode(reasoning["redactedContent"]).decode())
    if "image" in block:
        said.images.append(block["image"]["source"]["bytes"])
    if "toolUse" in block:
        call = block["toolUse"]
        text = (call["input"] or "{}") if isinstance(call["input"], str) else json.dumps(call["input"])
        said.calls.append((call["toolUseId"], call["name"], arguments(text)))


def converse_whole(body: bytes) -> Said:
    reply = json.loads(body)
    said = Said(finish=reply["stopReason"], usage=reply.get("usage", {}))
    assert reply["output"]["message"]["role"] == "assistant"
    for block in reply["output"]["message"]["content"]:
        _converse_block(block, said)
    return said


def converse_stream(body: bytes) -> Said:
    events = [(headers[":event-type"], json.loads(payload)) for headers, payload in frames(body) if headers[":message-type"] == "event"]
    assert events[0] == ("messageStart", {"role": "assistant", "p": events[0][1]["p"]})
    said = Said()
    blocks: dict[int, Json] = {}
    for name, event in events[1:]:
        if name == "messageStop":
            said.finish = event["stopReason"]
        elif name == "metadata":
            said.usage = event["usage"]
        elif name == "contentBlockStart":
            blocks[event["contentBlockIndex"]] = {"toolUse": {**event["start"]["toolUse"], "input": ""}}
        elif name == "contentBlockDelta":
            _converse_grow(blocks.setdefault(event["contentBlockIndex"], {}), event["delta"])
    for block in blocks.values():
        _converse_block(block, said)
    return said


def _converse_grow(block: Json, delta: Json) -> None:
    reasoning = delta.get("reasoningContent", {})
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    if "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    if "redactedContent" in reasoning:
        block["reasoningContent"] = reasoning
    elif reasoning:
        whole = block.setdefault("reasoningContent", {"reasoningText": {"text": "", "signature": ""}})["reasoningText"]
        for key, piece in reasoning.items():
            whole[key] += piece


def cohere_whole(body: bytes) -> Said:
    reply = json.loads(body)
    message = reply["message"]
    said = Said(text=message.get("tool_plan", ""), finish=reply["finish_reason"], usage=reply.get("usage", {}))
    for block in message.get("content", ()):
        said.text += block.get("text", "")
        said.reasoning += block.get("thinking", "")
    said.calls = [
        (call["id"], call["function"]["name"], arguments(call["function"]["arguments"])) for call in message.get("tool_calls", ())
    ]
    said.citations = [citation["sources"][0]["document"]["url"] for citation in message.get("citations", ())]
    return said


def cohere_stream(body: bytes) -> Said:
    *events, last = sse(body)
    assert last == ("", "[DONE]")
    said = Said()
    calls: list[list[str]] = []
    for name, data in events:
        event = json.loads(data)
        assert event["type"] == name
        message = event.get("delta", {}).get("message", {})
        if name == "content-delta":
            said.text += message["content"].get("text", "")
            said.reasoning += message["content"].get("thinking", "")
        elif name == "tool-plan-delta":
            said.text += message["tool_plan"]
        elif name == "tool-call-start":
            calls.append([message["tool_calls"]["id"], message["tool_calls"]["function"]["name"], ""])
        elif name == "tool-call-delta":
            calls[event["index"]][2] += message["tool_calls"]["function"]["arguments"]
        elif name == "citation-start":
            said.citations.append(message["citations"]["sources"][0]["document"]["url"])
        elif name == "message-end":
            said.finish, said.usage = event["delta"]["finish_reason"], event["delta"].get("usage", {})
    said.calls = [(name, tool, arguments(text)) for name, tool, text in calls]
    return said


READERS: dict[str, tuple[Callable[[bytes], Said], Callable[[bytes], Said]]] = {
    "chat": (chat_whole, chat_stream),
    "responses": (responses_whole, responses_stream),
    "messages": (messages_whole, messages_stream),
    "gemini": (gemini_whole, gemini_stream),
    "converse": (converse_whole, converse_stream),
    "cohere": (cohere_whole, cohere_stream),
}
"""For each dialect the readers of a whole body and of a stream."""
