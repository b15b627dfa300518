from trunkline.dialects.chat.calls import CallAssembler


def assemble(*deltas: list[object]) -> tuple[list[tuple[str, str]], list[dict[str, object]]]:
    assembler = CallAssembler("seed")
    out = []
    for items in deltas:
        for call, arguments, item in assembler.place(items):
            if arguments:
                call.fragments.append(arguments)
            out.append(item)
    return [(call.name, call.arguments) for call in assembler.calls], out


def delta(index: int | None = None, identifier: str | None = None, name: str | None = None, arguments: object = None) -> dict[str, object]:
    item: dict[str, object] = {"function": {"name": name, "arguments": arguments}}
    if index is not None:
        item["index"] = index
    if identifier is not None:
        item["id"] = identifier
    return item


def test_openai_deltas() -> None:
    calls, out = assemble(
        [delta(0, "call_1", "f", "")], [delta(0, arguments='{"a"')], [delta(0, arguments=":1}")], [delta(1, "call_2", "g", "{}")]
    )
    assert calls == [("f", '{"a":1}'), ("g", "{}")]
    assert out[0] == {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert out[1] == {"index": 0, "function": {"arguments": '{"a"'}}
    assert out[3]["index"] == 1


def test_bug_04_parallel_calls_that_all_say_index_0_are_kept_apart() -> None:
    calls, out = assemble([delta(0, "a", "f", '{"x":1}')], [delta(0, "b", "f", '{"x":2}')], [delta(0, "c", "g", "{}")])
    assert calls == [("f", '{"x":1}'), ("f", '{"x":2}'), ("g", "{}")]
    assert [item["index"] for item in out] == [0, 1, 2]


def test_parallel_calls_in_one_delta_without_ids() -> None:
    calls, out = assemble([delta(0, None, "f", '{"x":1}'), delta(0, None, "f", '{"x":2}')])
    assert calls == [("f", '{"x":1}'), ("f", '{"x":2}')]
    assert len({str(item["id"]) for item in out}) == 2


def test_bug_04_missing_index_follows_ids_and_order() -> None:
    calls, _ = assemble(
        [delta(None, "a", "f", '{"x"')], [delta(None, None, None, ":1}")], [delta(None, "b", "g", "{")], [delta(None, "b", None, "}")]
    )
    assert calls == [("f", '{"x":1}'), ("g", "{}")]


def test_missing_index_in_a_message_means_one_call_for_each_item() -> None:
    calls, _ = assemble([delta(None, None, "f", "{}"), delta(None, None, "g", None)])
    assert calls == [("f", "{}"), ("g", "")]


def test_bug_04_missing_ids_are_minted_the_same_way_each_time() -> None:
    first = assemble([delta(0, None, "f", "{}")])[1][0]["id"]
    assert first == assemble([delta(0, "", "f", "{}")])[1][0]["id"]
    assert str(first).startswith("call_")


def test_id_name_and_type_are_said_once() -> None:
    """Accumulators of clients concatenate strings that come again."""
    _, out = assemble([delta(0, "a", "f", '{"x"')], [{**delta(0, "a", "f", ":1}"), "type": "function"}])
    assert out[1] == {"index": 0, "function": {"arguments": ":1}"}}


def test_a_name_that_comes_late_is_taken() -> None:
    calls, out = assemble([delta(0, "a", None, "")], [delta(0, None, "f", "{}")])
    assert calls == [("f", "{}")]
    assert out[1]["function"] == {"name": "f", "arguments": "{}"}


def test_bug_05_arguments_as_an_object_become_text_and_unknown_fields_survive() -> None:
    calls, out = assemble([{**delta(0, "a", "f", {"x": [1]}), "extra_content": {"google": {"thought_signature": "s"}}}, "junk"])
    assert calls == [("f", '{"x":[1]}')]
    assert out[0]["extra_content"] == {"google": {"thought_signature": "s"}}
    assert len(out) == 1


def test_at_finds_the_call_of_an_upstream_index() -> None:
    assembler = CallAssembler("seed")
    [(call, _, _)] = assembler.place([delta(3, "a", "f", "")])
    assert assembler.at(3) is call
    assert call.slot == 0
    assert assembler.at(0) is None


def test_calls_of_custom_tools_keep_their_shape() -> None:
    first = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": "*** "}}
    calls, out = assemble([first], [{"index": 0, "custom": {"input": "Begin"}}])
    assert calls == [("patch", "*** Begin")]
    assert out == [first, {"index": 0, "custom": {"input": "Begin"}}]


def test_an_empty_custom_beside_a_function_is_nothing() -> None:
    """Seen at a server that fills every field of the schema."""
    both = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "custom": {"name": "", "input": ""}}
    calls, out = assemble([both])
    assert calls == [("f", "{}")]
    assert out == [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
