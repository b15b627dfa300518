from typing import Any

import pytest

from trunkline.mock.call import Asked
from trunkline.mock.checks.messages import check
from trunkline.mock.script import Scene
from trunkline.mock.seals import envelope, seal

Json = dict[str, Any]
USER: Json = {"role": "user", "content": "go"}
THINKING: Json = {"type": "thinking", "thinking": "Hm.", "signature": seal("Hm.", kind="thinking")}
HIDDEN: Json = {"type": "redacted_thinking", "data": envelope("secret", kind="redacted")}
TOOL: Json = {"name": "t", "input_schema": {"type": "object"}}
BUDGET: Json = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000}


def call(name: str = "c1", **fields: Any) -> Json:
    return {"type": "tool_use", "id": name, "name": "t", "input": {}} | fields


def result(name: str = "c1") -> Json:
    return {"type": "tool_result", "tool_use_id": name, "content": "x"}


def turn(role: str, *blocks: Json) -> Json:
    return {"role": role, "content": list(blocks)}


def text(said: str) -> Json:
    return {"type": "text", "text": said}


def refusal(*messages: Json, scene: Scene = Scene(), **fields: Any) -> str:  # noqa: B008
    body = {"model": "m", "max_tokens": 10, "messages": list(messages) or [USER]} | fields
    found = check(Asked(path="/v1/messages", headers={"anthropic-version": "2023-06-01"}, body=body), scene)
    assert found is None or found.status == 400
    return "" if found is None else found.message


@pytest.mark.parametrize(
    "messages",
    [
        (USER,),
        (USER, USER),
        (USER, turn("assistant", call(), call("c2")), turn("user", result("c2"), result(), text("and?"))),
        (USER, turn("assistant", THINKING, HIDDEN, text("yes"), call()), turn("user", result())),
        (USER, {"role": "assistant", "content": "The answer is"}),
    ],
)
def test_good_conversations(messages: tuple[Json, ...]) -> None:
    assert refusal(*messages) == ""
    assert refusal(USER, turn("assistant", THINKING, call()), turn("user", result()), tools=[TOOL], **BUDGET) == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": 0}, "max_tokens: Input"),
        ({"model": ""}, "model: Field required"),
        ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "tools.0.custom.name"),
        ({"tools": [{"name": "t", "input_schema": {}}]}, "input_schema.type"),
        ({"tool_choice": {"type": "auto"}}, "providing `tools`"),
        ({"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}] * 5}, "Found 5"),
        (BUDGET | {"temperature": 0.5}, "`temperature`"),
        (BUDGET | {"max_tokens": 1024}, "must be greater"),
        (BUDGET | {"thinking": {"type": "enabled", "budget_tokens": 5}}, "1024"),
        (BUDGET | {"tools": [TOOL], "tool_choice": {"type": "any"}}, "forces tool use"),
    ],
)
def test_wrong_fields(fields: Json, said: str) -> None:
    assert said in refusal(**fields)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        (({"role": "system", "content": "x"}, USER), 'Unexpected role "system"'),
        (({"role": "tool", "content": "x"},), "'user' or 'assistant'"),
        (({"role": "user", "content": ""},), "non-empty content"),
        ((turn("user", text("")),), "must be non-empty"),
        ((turn("user", text(" ")),), "non-whitespace"),
        ((USER, turn("assistant", call())), "without `tool_result`"),
        ((USER, turn("assistant", call()), USER), "without `tool_result`"),
        ((USER, turn("assistant", call(), call("c2")), turn("user", result()), turn("user", result("c2"))), "c2"),
        ((USER, turn("assistant", call()), turn("user", text("first"), result())), "without `tool_result`"),
        ((USER, turn("assistant", call()), turn("user", result(), result())), "single result"),
        ((turn("user", result()),), "unexpected `tool_use_id`"),
        ((USER, turn("assistant", call(input="{}")), turn("user", result())), "valid dictionary"),
        ((USER, turn("assistant", call("a|b")), turn("user", result("a|b"))), "`tool_use.id`"),
        ((turn("user", {**text(""), "cache_control": {"type": "ephemeral"}}),), "non-empty"),
        ((USER, turn("assistant", {**THINKING, "thinking": "Hm"}), USER), "messages.1.content.0: Invalid `signature` in `thinking` block"),
        ((USER, turn("assistant", {**THINKING, "signature": ""}), USER), "Invalid `signature`"),
        ((USER, turn("assistant", {**HIDDEN, "data": "x"}), USER), "Invalid `data`"),
    ],
)
def test_wrong_conversations(messages: tuple[Json, ...], said: str) -> None:
    assert said in refusal(*messages)


def test_late_system_messages_where_the_script_allows_them() -> None:
    assert refusal(USER, {"role": "system", "content": "x"}, scene=Scene(allow=("system",))) == ""


def test_a_turn_whose_tools_were_answered_begins_with_its_thinking() -> None:
    assert "Expected `thinking`" in refusal(USER, turn("assistant", call()), turn("user", result()), tools=[TOOL], **BUDGET)


def test_signatures_of_another_realm_are_foreign() -> None:
    assert "Invalid `signature`" in refusal(USER, turn("assistant", THINKING), USER, scene=Scene(realm="other"))


def test_the_version_is_a_header_or_at_other_hosts_in_the_body() -> None:
    body: Json = {"messages": [USER], "max_tokens": 5}
    found = check(Asked(path="/v1/messages", body={**body, "model": "m"}), Scene())
    assert found is not None
    assert "anthropic-version" in found.message
    hosted = Asked(path="/x", model="claude", body={**body, "anthropic_version": "vertex-2023-10-16"})
    assert check(hosted, Scene()) is None
    for wrong in (body, {**body, "anthropic_version": "v", "model": "m"}):
        assert check(Asked(path="/x", model="claude", body=wrong), Scene()) is not None


def test_counting_needs_no_limit() -> None:
    asked = Asked(path="/v1/messages/count_tokens", headers={"anthropic-version": "v"}, body={"model": "m", "messages": [USER]})
    assert check(asked, Scene()) is None
