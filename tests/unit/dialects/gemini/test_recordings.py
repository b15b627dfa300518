"""Google's own answers and the requests that led to them, where the recordings are at hand (AI Studio and Vertex)."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from msgspec import Raw

from trunkline.dialects.gemini.compose import Composer
from trunkline.dialects.gemini.decoder import GeminiDecoder
from trunkline.dialects.gemini.schema import native, subset
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Block, Conversation, Opaque, Reasoning, Text, ToolCall, ToolResult, Turn
from trunkline.transport.sse import EventSplitter

ROOT = Path(__file__).parents[5] / "shared" / "cassettes"

SKIPPED: dict[str, str] = {"countTokens": "no answer", "batchEmbedContents": "no text", "embedContent": "no text", "predict": "no text"}
"""Methods that are not this dialect's, with the reason."""

pytestmark = pytest.mark.skipif(not ROOT.exists(), reason="the recordings are not part of the repository")


@cache
def recordings() -> tuple[tuple[str, Any], ...]:
    def read() -> Iterator[tuple[str, Any]]:
        for row in msgspec.json.decode((ROOT / "index.json").read_bytes()):
            if row["provider"] in ("google", "google-vertex"):
                document = msgspec.json.decode((ROOT / row["file"]).read_bytes())
                method = document["request"]["url"].rpartition(":")[2].partition("?")[0]
                if method not in SKIPPED:
                    yield row["file"], document

    return tuple(read())


def documents(body: object) -> list[dict[str, Any]]:
    if not isinstance(body, str):
        return [body]  # type: ignore[list-item]
    return [msgspec.json.decode(line[5:]) for line in body.splitlines() if line.startswith("data:")]


@cache
def answers() -> dict[str, Answer]:
    return {name: decoded(recording["response"]["body"]) for name, recording in recordings()}


def decoded(body: object) -> Answer:
    one = GeminiDecoder(PLAIN, Conversation(turns=()), seed="gen-1")
    if not isinstance(body, str):
        return fold(one.whole(msgspec.json.encode(body)))
    splitter = EventSplitter()
    return fold(one.feed(splitter.feed(body.encode()) + splitter.close()) + one.close())


def parts_of(body: object) -> list[dict[str, Any]]:
    candidates = [one["candidates"][0] for one in documents(body) if one.get("candidates")]
    return [part for candidate in candidates for part in candidate.get("content", {}).get("parts", [])]


def said(parts: list[dict[str, Any]], *, thought: bool) -> str:
    return "".join(part.get("text", "") for part in parts if bool(part.get("thought")) is thought)


KINDS = ("text", "reasoning", "tool_call", "opaque", "media")


def test_there_are_recordings() -> None:
    bodies = [document["response"]["body"] for _, document in recordings()]
    assert len(bodies) == 330
    assert sum(isinstance(body, str) for body in bodies) == 8


def test_answers_come_out_as_they_were_given() -> None:
    finishes: Counter[object] = Counter()
    for name, recording in recordings():
        body = recording["response"]["body"]
        if recording["response"]["status"] != 200:
            continue
        answer, parts = answers()[name], parts_of(body)
        last = documents(body)[-1]
        native_reason = last["candidates"][0]["finishReason"]
        finishes[native_reason, answer.finish.reason if answer.finish else None] += 1
        assert answer.usage is not None, name
        assert {key: answer.usage[key] for key in last["usageMetadata"]} == last["usageMetadata"], name
        assert answer.id == last.get("responseId"), name
        if native_reason == "UNEXPECTED_TOOL_CALL":
            assert answer.error is not None, name
            assert not answer.blocks, name
            continue
        assert answer.error is None, name
        kinds = {
            kind: [block for block in answer.blocks if block.kind == kind] for kind in ("text", "reasoning", "tool_call", "opaque", "media")
        }
        assert "".join(block.joined("text") for block in kinds["text"]) == said(parts, thought=False), name
        assert "".join(block.joined("text") for block in kinds["reasoning"]) == said(parts, thought=True), name
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        assert [(call.name, msgspec.json.decode(call.joined("arguments"))) for call in kinds["tool_call"]] == [
            (call["name"], call.get("args", {})) for call in calls
        ], name
        assert all(call.id == given.get("id", call.id) for call, given in zip(kinds["tool_call"], calls, strict=True)), name
        kept = [msgspec.json.decode(block.opaque.raw) for block in kinds["opaque"] if block.opaque is not None]
        assert kept == [part for part in parts if part.keys() & {"executableCode", "codeExecutionResult", "toolCall", "toolResponse"}], name
        pictures = [part["inlineData"]["data"] for part in parts if "inlineData" in part]
        assert [block.media.data for block in kinds["media"] if block.media is not None] == pictures, name
        signatures = [block.joined("data") or block.joined("signature") for block in kinds["reasoning"]]
        kept_signatures = [part["thoughtSignature"] for part in kept if "thoughtSignature" in part]
        assert sorted([one for one in signatures if one] + kept_signatures) == sorted(
            part["thoughtSignature"] for part in parts if "thoughtSignature" in part
        ), name
    assert finishes.keys() == {
        ("STOP", "stop"),
        ("STOP", "tool_calls"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("UNEXPECTED_TOOL_CALL", None),
    }
    assert sum(finishes.values()) == 326


def test_citations_point_at_their_words() -> None:
    cited = 0
    for name, recording in recordings():
        for block in answers()[name].blocks:
            text = said(parts_of(recording["response"]["body"]), thought=False)
            for annotation in block.parts.get("annotation", ()):
                citation = msgspec.json.decode(annotation)["url_citation"]
                cited += 1
                assert text[citation["start_index"] : citation["end_index"]] == citation["content"], name
                assert citation["url"].startswith("https://"), name
    assert cited > 50


def test_probabilities_are_read() -> None:
    entries = [
        entry
        for answer in answers().values()
        for block in answer.blocks
        for part in block.parts.get("logprobs", ())
        for entry in msgspec.json.decode(part)
    ]
    assert len(entries) == 16
    assert all(entry["logprob"] <= 0 and bytes(entry["bytes"]).decode() == entry["token"] for entry in entries)


def test_refusals_are_classed() -> None:
    kinds = Counter(answers()[name].error.kind for name, _ in refused())  # type: ignore[union-attr]
    assert kinds == {"caller_fault": 3, "model_access": 1}


def refused() -> list[tuple[str, Any]]:
    return [one for one in recordings() if one[1]["response"]["status"] != 200]


def test_answers_go_back_as_they_came() -> None:
    """An answer that is the next request's history has the parts, in the order and with the signatures, that the model made."""
    for name, recording in recordings():
        body = recording["response"]["body"]
        answer = answers()[name]
        if answer.finish is None or isinstance(body, str) or any(block.kind == "media" for block in answer.blocks):
            continue
        sent = compose(Turn(role="user", blocks=(Text(text="q"),)), Turn(role="assistant", blocks=tuple(history(answer))))
        contents = sent["contents"][1:]
        wanted = [normal(part) for part in parts_of(body) if part != {"text": ""}]
        got = [normal(part) for content in contents for part in content["parts"]]
        assert got == wanted or (not wanted and not got), name


def history(answer: Answer) -> Iterator[Block]:
    for block in answer.blocks:
        if block.kind == "text":
            yield Text(text=block.joined("text"))
        elif block.kind == "reasoning" and block.joined("data"):
            yield Reasoning(kind="encrypted", data=block.joined("data"), id=block.id, format=block.format)
        elif block.kind == "reasoning":
            yield Reasoning(text=block.joined("text"), signature=block.joined("signature") or None, format=block.format)
        elif block.kind == "tool_call":
            yield ToolCall(id=block.id or "", name=block.name, arguments=block.joined("arguments"))
        elif block.opaque is not None:
            yield Opaque(dialect="gemini", raw=block.opaque.raw)


UNSIGNED = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="


def normal(part: dict[str, Any]) -> dict[str, Any]:
    """A part without the id of its call, which may be minted, and without the sign of a call that came without one."""
    part = {key: value for key, value in part.items() if (key, value) != ("thoughtSignature", UNSIGNED)}
    if "functionCall" in part:
        call = part["functionCall"]
        part["functionCall"] = {"name": call["name"], "args": call.get("args", {})}
    return part


def compose(*turns: Turn) -> Any:
    return msgspec.json.decode(Composer(PLAIN).compose(Conversation(turns=turns)))


def test_requests_are_composed_as_they_were_sent() -> None:
    """Recorded contents, read into turns, come out the same, as far as text, calls, results and signatures go."""
    compared = 0
    for name, recording in recordings():
        request = recording["request"]["body"]
        if recording["response"]["status"] != 200 or not plain(request):
            continue
        wanted = merged(request["contents"])
        if wanted and wanted[-1]["role"] == "model":
            continue
        assert merged(compose(*turns_of(request["contents"]))["contents"]) == wanted, name
        compared += 1
    assert compared > 200


def snake(key: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in key)


def plain(request: dict[str, Any]) -> bool:
    parts = [part for content in request["contents"] for part in content["parts"]]
    allowed = {"text", "thought", "thought_signature", "function_call", "function_response"}
    return all(
        {snake(key) for key in part} <= allowed and "parts" not in part.get("functionResponse", part.get("function_response", {}))
        for part in parts
    )


def turns_of(contents: list[dict[str, Any]]) -> Iterator[Turn]:
    for content in contents:
        blocks: list[Block] = []
        for part in content["parts"]:
            found = {snake(key): value for key, value in part.items()}
            signature = found.get("thought_signature")
            if call := found.get("function_call"):
                identifier = call.get("id", call["name"])
                if signature and signature != UNSIGNED:
                    blocks.append(Reasoning(kind="encrypted", data=signature, id=identifier, format="google-gemini-v1"))
                blocks.append(ToolCall(id=identifier, name=call["name"], arguments=msgspec.json.encode(call.get("args", {})).decode()))
            elif response := found.get("function_response"):
                text = msgspec.json.encode(response["response"]).decode()
                blocks.append(ToolResult(id=response.get("id", response["name"]), name=response["name"], blocks=(Text(text=text),)))
            elif found.get("thought"):
                blocks.append(Reasoning(text=found["text"], signature=signature, format="google-gemini-v1"))
            else:
                if signature:
                    blocks.append(Reasoning(kind="encrypted", data=signature, format="google-gemini-v1"))
                blocks.append(Text(text=found["text"]))
        yield Turn(role="assistant" if content["role"] == "model" else "user", blocks=tuple(blocks))


def merged(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Contents in one spelling, with turns of one role put together, without ids and stand-ins, and with the text of results compared."""
    result: list[dict[str, Any]] = []
    for content in contents:
        parts = [spelled(part) for part in content["parts"]]
        parts = [part for part in parts if part != {"text": ""}]
        if not parts:
            continue
        if result and result[-1]["role"] == content["role"]:
            result[-1]["parts"] += parts
        else:
            result.append({"role": content["role"], "parts": parts})
    return result


def spelled(part: dict[str, Any]) -> dict[str, Any]:
    found = {snake(key): value for key, value in part.items() if value != UNSIGNED}
    if call := found.get("function_call"):
        found["function_call"] = (call["name"], call.get("args", {}))
    if response := found.get("function_response"):
        value = response["response"]
        output = value.get("output")
        found["function_response"] = (response["name"], msgspec.json.decode(output) if isinstance(output, str) else value)
    return found


def test_schemas_of_real_clients_are_taken_as_they_are() -> None:
    """What Google accepted needs no mending (but for one title beside a reference), and all of it can be said in the subset too."""
    seen = 0
    for name, recording in recordings():
        if recording["response"]["status"] != 200:
            continue
        for schema in schemas(recording["request"]["body"]):
            seen += 1
            raw = Raw(msgspec.json.encode(schema))
            assert native(raw, name) is raw or "recursive_schema_native_output" in name
            assert b"$ref" not in msgspec.json.encode(subset(raw, name)), name
    assert seen > 300


def schemas(request: dict[str, Any]) -> Iterator[object]:
    for tool in request.get("tools") or ():
        for function in (tool.get("functionDeclarations") or tool.get("function_declarations") or ()) if isinstance(tool, dict) else ():
            yield from (function[key] for key in ("parametersJsonSchema", "parameters_json_schema") if key in function)
    config = request.get("generationConfig") or {}
    yield from (config[key] for key in ("responseJsonSchema",) if key in config)
