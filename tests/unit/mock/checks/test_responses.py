from typing import Any

import pytest

from trunkline.mock.call import Asked
from trunkline.mock.checks.responses import check
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Scene
from trunkline.mock.seals import envelope

Json = dict[str, Any]
USER: Json = {"role": "user", "content": "go"}
CALL: Json = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT: Json = {"type": "function_call_output", "call_id": "c1", "output": "x"}
REASONING: Json = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": envelope("Hm.", kind="encrypted")}
ANSWER: Json = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "yes"}]}


def refusal(*items: Json, scene: Scene = Scene(), **fields: Any) -> Refusal | None:  # noqa: B008
    return check(Asked(path="/v1/responses", body={"model": "m", "input": list(items)} | fields), scene)


@pytest.mark.parametrize(
    "items",
    [
        (USER,),
        (USER, CALL, OUTPUT),
        (USER, REASONING, CALL, OUTPUT),
        (USER, REASONING, ANSWER, USER),
        (USER, REASONING, {**REASONING, "id": ""}, ANSWER),
    ],
)
def test_good_inputs(items: tuple[Json, ...]) -> None:
    assert refusal(*items, scene=Scene(strict=True)) is None


def test_a_text_is_an_input_and_earlier_items_may_be_at_the_vendor() -> None:
    assert refusal(input="go") is None
    assert refusal(OUTPUT, previous_response_id="resp_1") is None


@pytest.mark.parametrize(
    ("items", "code", "said"),
    [
        ((), "missing_required_parameter", "'input'"),
        ((USER, CALL), "", "No tool output found"),
        ((USER, OUTPUT), "", "No tool call found"),
        ((USER, {**REASONING, "encrypted_content": "gAAAA"}, ANSWER), "invalid_encrypted_content", "could not be verified"),
        ((USER, {"type": "reasoning", "id": "rs_1"}, ANSWER), "missing_required_parameter", "summary"),
        ((USER, REASONING), "", "required following item"),
        ((USER, REASONING, USER), "", "required following item"),
        ((USER, {**ANSWER, "id": "chatcmpl-1"}), "invalid_value", "begins with 'msg'"),
        ((USER, ANSWER, ANSWER), "", "Duplicate item"),
        (({"role": "user", "content": [{"type": "text", "text": "x"}]},), "invalid_value", "'text'"),
        (({"role": "assistant", "content": [{"type": "input_text", "text": "x"}]},), "invalid_value", "'input_text'"),
    ],
)
def test_wrong_inputs(items: tuple[Json, ...], code: str, said: str) -> None:
    found = refusal(*items)
    assert found is not None
    assert (found.status, found.code, said in found.message) == (400, code, True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].name"),
        ({"response_format": {}}, "text.format"),
        ({"model": ""}, "'model'"),
    ],
)
def test_the_shapes_of_chat_are_refused(fields: Json, said: str) -> None:
    found = refusal(USER, **fields)
    assert found is not None
    assert said in found.message


def test_a_small_limit_with_strict() -> None:
    assert refusal(USER, max_output_tokens=5) is None
    found = refusal(USER, max_output_tokens=5, scene=Scene(strict=True))
    assert found is not None
    assert found.code == "integer_below_min_value"


def test_reasoning_of_another_realm_is_foreign() -> None:
    found = refusal(USER, REASONING, ANSWER, scene=Scene(realm="other"))
    assert found is not None
    assert found.code == "invalid_encrypted_content"
