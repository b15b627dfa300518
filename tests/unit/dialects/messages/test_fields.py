import msgspec
import pytest

from trunkline.dialects.messages.fields import Fields, ThinkingAdaptive, ThinkingOff, ThinkingOn, ToolWire

USER = {"role": "user", "content": "hi"}


def read(**fields: object) -> Fields:
    return msgspec.convert({"messages": [USER], **fields}, Fields)


def test_messages_alone_are_enough() -> None:
    assert read().max_tokens is None


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        ({"type": "enabled", "budget_tokens": 1024, "display": "omitted"}, ThinkingOn),
        ({"type": "disabled"}, ThinkingOff),
        ({"type": "adaptive"}, ThinkingAdaptive),
    ],
)
def test_thinking_comes_in_three_kinds(wire: dict[str, object], kind: type) -> None:
    assert isinstance(read(thinking=wire).thinking, kind)


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []},
        {"max_tokens": 0},
        {"temperature": 2.1},
        {"top_p": 1.5},
        {"thinking": {"type": "enabled"}},
        {"thinking": {"type": "sometimes"}},
        {"fallbacks": [{"model": "a/b"}] * 4},
        {"fallbacks": [{"model": "a/b", "max_tokens": 3}]},
        {"tool_choice": {"type": "required"}},
        {"cache_control": {"type": "ephemeral", "ttl": "2h"}},
        {"output_config": {"format": {"type": "json_object"}}},
        {"session_id": "x" * 257},
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(**wrong)


def test_functions_are_tools_without_a_type_of_their_own() -> None:
    assert ToolWire(name="f").is_function
    assert ToolWire(type="custom", name="f").is_function
    assert not ToolWire(type="web_search_20250305", name="web_search").is_function
