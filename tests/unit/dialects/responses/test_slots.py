from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Media, OpaqueEvent
from trunkline.dialects.names import Names
from trunkline.dialects.responses.slots import Slots

FAMILY = "openai-responses-v1"
LONG = "a.tool/with.a.name"


def slots(*, family: str = FAMILY) -> Slots:
    return Slots(family, Names([LONG], allowed="A-Za-z0-9_-", limit=64), seed="s")


def tell(one: Slots, kind: str, **fields: object) -> list[Event]:
    return one.handlers[f"response.{kind}"]({"type": f"response.{kind}", **fields})


def item(one: Slots, index: int | None, end: str = "done", **fields: object) -> list[Event]:
    place = {} if index is None else {"output_index": index}
    return tell(one, f"output_item.{end}", **place, item=fields)


def test_parts_of_a_message_are_blocks() -> None:
    one = slots()
    assert tell(one, "output_text.delta", output_index=0, content_index=0, delta="a") == [BlockStart(0), Delta(0, "text", "a")]
    assert tell(one, "refusal.delta", output_index=0, content_index=1, delta="n") == [BlockStart(1, "refusal"), Delta(1, "text", "n")]
    assert tell(one, "output_text.done", output_index=0, content_index=0, text="ab") == [Delta(0, "text", "b")]
    part = {"type": "output_text", "text": "abc", "annotations": [{"type": "url_citation", "url": "u"}]}
    assert tell(one, "content_part.done", output_index=0, content_index=0, part=part) == [
        Delta(0, "text", "c"),
        Delta(0, "annotation", '{"type":"url_citation","url_citation":{"url":"u"}}'),
        BlockStop(0),
    ]
    content = [part, {"type": "refusal", "refusal": "no"}]
    assert item(one, 0, type="message", content=content) == [Delta(1, "text", "o"), BlockStop(1)]
    assert one.complete([{"type": "message", "content": content}]) == []


def test_a_text_that_contradicts_its_deltas_changes_nothing() -> None:
    one = slots()
    tell(one, "output_text.delta", output_index=0, content_index=0, delta="abc")
    assert tell(one, "output_text.done", output_index=0, content_index=0, text="xyz") == []
    assert tell(one, "output_text.done", output_index=0, content_index=0, text="ab") == []


def test_an_item_that_was_only_told_at_the_end_is_told_whole() -> None:
    one = slots()
    output = [
        {"type": "reasoning", "id": "rs_1", "summary": [{"text": "a"}, {"text": "b"}], "encrypted_content": "ZQ"},
        {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "t", "logprobs": [{"token": "t"}]}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    assert one.complete(output) == [
        BlockStart(0, "reasoning", "rs_1", format=FAMILY),
        Delta(0, "summary", "a\n\nb"),
        Delta(0, "data", "ZQ"),
        BlockStop(0),
        BlockStart(1),
        Delta(1, "text", "t"),
        Delta(1, "logprobs", '[{"token":"t"}]'),
        BlockStop(1),
        BlockStart(2, "tool_call", "c", "f"),
        Delta(2, "arguments", "{}"),
        BlockStop(2),
    ]
    assert one.called


def test_parts_of_a_summary_are_paragraphs() -> None:
    one = slots()
    assert item(one, 0, "added", type="reasoning", id="rs_1", summary=[]) == [BlockStart(0, "reasoning", "rs_1", format=FAMILY)]
    assert tell(one, "reasoning_summary_part.added", output_index=0, summary_index=0) == []
    assert tell(one, "reasoning_summary_text.delta", output_index=0, delta="a") == [Delta(0, "summary", "a")]
    assert tell(one, "reasoning_summary_part.added", output_index=0, summary_index=1) == [Delta(0, "summary", "\n\n")]
    tell(one, "reasoning_summary_text.delta", output_index=0, delta="b")
    done = {"type": "reasoning", "id": "rs_1", "summary": [{"text": "a"}, {"text": "b"}], "encrypted_content": "ZQ==", "signature": "c"}
    assert item(one, 0, **done) == [Delta(0, "signature", "c"), Delta(0, "data", "ZQ=="), BlockStop(0)]


def test_reasoning_text_and_its_family() -> None:
    one = slots(family="xai-responses-v1")
    assert tell(one, "reasoning_text.delta", output_index=0, item_id="rs_1", delta="a") == [
        BlockStart(0, "reasoning", "rs_1", format="xai-responses-v1"),
        Delta(0, "text", "a"),
    ]
    named = item(one, 1, type="reasoning", format="anthropic-claude-v1", summary=None, content=[{"type": "reasoning_text", "text": "b"}])
    assert named == [BlockStart(1, "reasoning", format="anthropic-claude-v1"), Delta(1, "text", "b"), BlockStop(1)]


def test_calls_are_told_once_however_often_they_are_said() -> None:
    one = slots()
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f"}
    assert item(one, 0, "added", **call, arguments="") == [BlockStart(0, "tool_call", "c", "f")]
    assert tell(one, "function_call_arguments.delta", output_index=0, delta='{"a"') == [Delta(0, "arguments", '{"a"')]
    assert tell(one, "function_call_arguments.done", output_index=0, arguments='{"a":1}') == [Delta(0, "arguments", ":1}")]
    assert item(one, 0, **call, arguments='{"a":1}') == [BlockStop(0)]
    assert tell(one, "function_call_arguments.delta", output_index=0, delta="late") == []


def test_a_custom_call_has_input() -> None:
    one = slots()
    item(one, 0, "added", type="custom_tool_call", call_id="c", name="g", input="")
    assert tell(one, "custom_tool_call_input.delta", output_index=0, delta="l") == [Delta(0, "arguments", "l")]
    assert tell(one, "custom_tool_call_input.done", output_index=0, input="ls") == [Delta(0, "arguments", "s")]
    assert item(slots(), 0, type="custom_tool_call", call_id="c", name="g", input="ls")[0] == BlockStart(
        0, "tool_call", "c", "g", custom=True
    )


def test_names_are_given_back() -> None:
    names = Names([LONG], allowed="A-Za-z0-9_-", limit=64)
    (start, _) = item(slots(), 0, type="function_call", call_id="c", name=names.wire(LONG), arguments="")
    assert start == BlockStart(0, "tool_call", "c", LONG)


def test_ids_are_minted_where_none_is_of_use() -> None:
    minted = set()
    for number, given in enumerate(({}, {"call_id": "call_0"}, {"call_id": None})):
        one = Slots(FAMILY, Names([], allowed="a", limit=9), seed=f"s{number}")
        start = item(one, 0, type="function_call", name="f", arguments="{}", **given)[0]
        assert isinstance(start, BlockStart)
        assert str(start.id).startswith("call_")
        assert len(str(start.id)) > 20
        minted.add(start.id)
    assert len(minted) == 3
    kept = item(slots(), 0, type="function_call", name="f", call_id="call_MM497Ty6", arguments="{}")[0]
    assert kept == BlockStart(0, "tool_call", "call_MM497Ty6", "f")


def test_a_call_waits_for_its_name() -> None:
    one = slots()
    assert item(one, 0, "added", type="function_call", call_id="c", name=None) == []
    assert tell(one, "function_call_arguments.delta", output_index=0, delta="{") == []
    assert item(one, 0, type="function_call", call_id="c", name="f", arguments="{}") == [
        BlockStart(0, "tool_call", "c", "f"),
        Delta(0, "arguments", "{}"),
        BlockStop(0),
    ]


def test_pictures_are_media_and_other_items_opaque() -> None:
    one = slots()
    (picture,) = item(one, 0, type="image_generation_call", id="ig_1", result="AAAA", output_format="webp")
    assert picture == Media("image", "image/webp", "AAAA", id="ig_1")
    (search,) = item(one, 1, type="web_search_call", id="ws_1", action={"type": "search"})
    assert isinstance(search, OpaqueEvent)
    assert bytes(search.raw) == b'{"type":"web_search_call","id":"ws_1","action":{"type":"search"}}'
    (empty,) = item(one, 2, type="image_generation_call", id="ig_2", result=None)
    assert isinstance(empty, OpaqueEvent)
    assert item(one, 3, id="x") == []


def test_the_final_response_may_list_items_at_other_places() -> None:
    one = slots()
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": []}
    message = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "a"}]}
    item(one, 0, **reasoning)
    item(one, 1, "added", **{**message, "content": []})
    tell(one, "output_text.delta", output_index=1, content_index=0, delta="a")
    assert one.complete([message]) == [BlockStop(1)]


def test_events_without_places_go_by_the_items_id() -> None:
    one = slots()
    item(one, None, "added", type="function_call", id="fc_1", call_id="c1", name="f", arguments="")
    item(one, None, "added", type="function_call", id="fc_2", call_id="c2", name="g", arguments="")
    assert tell(one, "function_call_arguments.delta", item_id="fc_2", delta="{}") == [Delta(1, "arguments", "{}")]
    output = [{"type": "function_call", "id": f"fc_{number}", "call_id": f"c{number}", "name": "f", "arguments": "{}"} for number in (1, 2)]
    assert one.complete(output) == [Delta(0, "arguments", "{}"), BlockStop(0), BlockStop(1)]


def test_probabilities_come_with_their_text() -> None:
    one = slots()
    assert tell(one, "output_text.delta", output_index=0, content_index=0, delta="a", logprobs=[{"token": "a"}])[1:] == [
        Delta(0, "text", "a"),
        Delta(0, "logprobs", '[{"token":"a"}]'),
    ]
    part = {"type": "output_text", "text": "a", "logprobs": [{"token": "a"}]}
    assert tell(one, "content_part.done", output_index=0, content_index=0, part=part) == [BlockStop(0)]


def test_annotations_are_counted() -> None:
    one = slots()
    tell(one, "output_text.delta", output_index=0, content_index=0, delta="a")
    first, second = {"type": "url_citation", "url": "1"}, {"type": "url_citation", "url": "2"}
    assert len(tell(one, "output_text.annotation.added", output_index=0, content_index=0, annotation=first)) == 1
    part = {"type": "output_text", "text": "a", "annotations": [first, second]}
    rest = tell(one, "content_part.done", output_index=0, content_index=0, part=part)
    assert rest == [Delta(0, "annotation", '{"type":"url_citation","url_citation":{"url":"2"}}'), BlockStop(0)]
    assert tell(one, "output_text.annotation.added", output_index=0, content_index=0, annotation=first) == []
