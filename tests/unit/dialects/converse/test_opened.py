import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.converse.opened import SERVED, Open, ending, is_said
from trunkline.dialects.converse.reply import Call
from trunkline.dialects.hub.events import Delta, OpaqueEvent


def opened(kind: str, *pieces: str, call: Call | None = None) -> Open:
    block = Open(3, kind, call)
    block.pieces += pieces
    return block


@pytest.mark.parametrize("kind", ["text", "reasoning", "answer"])
def test_what_was_said_piece_by_piece_ends_without_a_word(kind: str) -> None:
    assert ending(opened(kind, "x")) == []


def test_bug_05_a_call_has_arguments() -> None:
    assert ending(opened("tool_call", '{"a":1}')) == []
    assert ending(opened("tool_call")) == [Delta(3, "arguments", "{}")]


def test_free_text_comes_out_of_its_object() -> None:
    assert ending(opened("custom", '{"inp', 'ut":"x"}')) == [Delta(3, "arguments", "x")]


@pytest.mark.parametrize(("pieces", "given"), [(('{"a":', "1}"), {"a": 1}), ((), {}), (("{broken",), {})])
def test_a_served_call_is_whole(pieces: tuple[str, ...], given: dict[str, int]) -> None:
    (event,) = ending(opened("served", *pieces, call=Call("t", "code", type=SERVED)))
    assert isinstance(event, OpaqueEvent)
    assert msgspec.json.decode(event.raw) == {"toolUse": {"toolUseId": "t", "name": "code", "input": given, "type": SERVED}}


def test_a_served_result_is_put_together() -> None:
    (event,) = ending(opened("result", '{"toolUseId":"t"}', '[{"text":"a"}]', '{"odd":1}', '[{"text":"b"}]'))
    assert isinstance(event, OpaqueEvent)
    assert msgspec.json.decode(event.raw) == {"toolResult": {"toolUseId": "t", "content": [{"text": "a"}, {"text": "b"}]}}


def test_what_is_said() -> None:
    assert [is_said(Raw(data)) for data in (b"", b"null", b"[]")] == [False, False, True]
