from trunkline.dialects.messages.facts import Call, Facts


def test_nothing_is_known_at_first() -> None:
    facts = Facts()
    assert (facts.usage, facts.finish_reason, facts.native_finish_reason, facts.output_chars, facts.tool_calls) == (None, None, None, 0, [])
    assert not facts.bears_content


def test_the_message_names_itself() -> None:
    facts = Facts()
    facts.note_message({"id": "msg_1", "usage": {"input_tokens": 3, "service_tier": "priority"}})
    facts.note_message({"id": "", "usage": None})
    assert (facts.upstream_id, facts.service_tier, facts.usage) == ("msg_1", "priority", {"input_tokens": 3, "service_tier": "priority"})


def test_the_tier_is_told_in_our_words() -> None:
    facts = Facts()
    facts.note_message({"usage": {"service_tier": "standard"}})
    assert facts.service_tier == "default"


def test_what_is_said_is_counted() -> None:
    facts = Facts()
    facts.note_block(0, {"type": "text", "text": ""})
    facts.note_block(1, {"type": "thinking", "thinking": ""})
    assert not facts.bears_content
    facts.note_said("abc")
    assert (facts.output_chars, facts.bears_content) == (3, True)


def test_bug_05_calls_with_their_arguments() -> None:
    facts = Facts()
    facts.note_block(0, {"type": "tool_use", "name": "f", "input": {}})
    facts.note_block(1, {"type": "tool_use", "name": "g", "input": {"a": 1}})
    facts.note_block(2, {"type": "tool_use", "name": 7})
    facts.note_arguments(0, '{"b"')
    facts.note_arguments(0, ":2}")
    facts.note_arguments(9, "of nobody")
    assert [(call.name, call.arguments) for call in facts.tool_calls] == [("f", '{"b":2}'), ("g", '{"a":1}'), ("", "{}")]
    assert facts.output_chars == 7 + 7 + 9
    assert Call("f").arguments == "{}"


def test_any_other_block_is_content() -> None:
    facts = Facts()
    facts.note_block(0, {"type": "redacted_thinking", "data": "x"})
    assert facts.bears_content


def test_bug_06_the_first_reason_counts() -> None:
    facts = Facts()
    facts.note_end({"stop_reason": None})
    assert facts.finish_reason is None
    facts.note_block(0, {"type": "tool_use", "name": "f"})
    facts.note_end({"stop_reason": "end_turn"})
    facts.note_end({"stop_reason": "refusal"})
    assert (facts.finish_reason, facts.native_finish_reason) == ("tool_calls", "end_turn")
