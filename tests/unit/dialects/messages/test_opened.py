import json

from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, OpaqueEvent
from trunkline.dialects.messages import seal
from trunkline.dialects.messages.opened import Opened, Terms, text
from trunkline.dialects.names import Names

TERMS = Terms(Names(["long.name", "f"], allowed="A-Za-z0-9_-", limit=64), frozenset(("free",)), "answer", "s")
WIRE_NAME = TERMS.names.wire("long.name")


def play(block: dict[str, object], *deltas: dict[str, object]) -> list[Event]:
    opened = Opened(0, block, TERMS, lambda: "toolu_minted")
    return [*opened.begin(), *(event for delta in deltas for event in opened.take(delta)), *opened.end()]


def piece(arguments: str) -> dict[str, object]:
    return {"type": "input_json_delta", "partial_json": arguments}


def test_text() -> None:
    assert play({"type": "text", "text": "a"}, {"type": "text_delta", "text": "b"}, {"type": "text_delta", "text": ""}) == [
        BlockStart(0),
        Delta(0, "text", "a"),
        Delta(0, "text", "b"),
        BlockStop(0),
    ]


def test_bug_01_thinking_signature_and_redacted_data() -> None:
    signed = play(
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "why"},
        {"type": "signature_delta", "signature": "s=="},
    )
    assert signed == [BlockStart(0, "reasoning", format=seal.OWN), Delta(0, "text", "why"), Delta(0, "signature", "s=="), BlockStop(0)]
    assert play({"type": "redacted_thinking", "data": "d=="})[1] == Delta(0, "data", "d==")


def test_bug_19_the_callers_name_comes_back() -> None:
    start = play({"type": "tool_use", "id": "t", "name": WIRE_NAME, "input": {}})[0]
    assert start == BlockStart(0, "tool_call", "t", "long.name")


def test_bug_04_a_missing_id_is_minted() -> None:
    assert play({"type": "tool_use", "name": "f"})[0] == BlockStart(0, "tool_call", "toolu_minted", "f")


def test_bug_05_arguments_come_in_pieces_or_with_the_start_but_once() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    assert play(block)[1:] == [Delta(0, "arguments", '{"a":1}'), BlockStop(0)]
    assert play(block, piece(""), piece('{"b"'), piece(":2}"))[1:] == [
        Delta(0, "arguments", '{"b"'),
        Delta(0, "arguments", ":2}"),
        BlockStop(0),
    ]
    assert play({**block, "input": {}})[1:] == [BlockStop(0)]


def test_a_tool_of_free_text_gives_its_text() -> None:
    block = {"type": "tool_use", "id": "t", "name": "free", "input": {}}
    expected = [BlockStart(0, "tool_call", "t", "free", custom=True), Delta(0, "arguments", "a b"), BlockStop(0)]
    assert play(block, piece('{"input":'), piece('"a b"}')) == expected
    assert play({**block, "input": {"input": "a b"}}) == expected


def test_bug_23_a_structured_answer_is_text() -> None:
    made = play({"type": "tool_use", "id": "t", "name": "answer", "input": {}}, piece('{"a":1}'))
    assert made == [BlockStart(0, "text"), Delta(0, "text", '{"a":1}'), BlockStop(0)]
    assert play({"type": "tool_use", "id": "t", "name": "answer", "input": {"a": 1}})[1] == Delta(0, "text", '{"a":1}')


def opaque(block: dict[str, object], *deltas: dict[str, object]) -> dict[str, object]:
    (event,) = play(block, *deltas)
    assert isinstance(event, OpaqueEvent)
    return json.loads(bytes(event.raw))  # type: ignore[no-any-return]


def test_the_upstreams_own_tools_are_kept_whole() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    assert opaque(block) == block
    assert opaque(block, piece(""), piece('{"q":1}')) == {**block, "input": {"q": 1}}
    assert opaque(block, piece("{broken")) == {**block, "input": {"INVALID_JSON": "{broken"}}
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "x"}]}
    assert opaque(result) == result


def test_a_compaction_is_kept_whole() -> None:
    made = opaque({"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "short", "encrypted_content": "e"})
    assert made == {"type": "compaction", "content": "short", "encrypted_content": "e"}


def test_citations() -> None:
    cited = {"type": "web_search_result_location", "url": "https://a.example", "cited_text": "x", "title": "t", "encrypted_index": "i"}
    made = play({"type": "text", "text": "a", "citations": [cited]}, {"type": "citations_delta", "citation": cited})
    assert [event.kind for event in made if isinstance(event, Delta)] == ["text", "annotation", "annotation"]


def test_only_strings_are_text() -> None:
    assert [text(value) for value in ("a", None, 3, ["a"])] == ["a", "", "", ""]
