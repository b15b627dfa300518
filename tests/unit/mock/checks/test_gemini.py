from typing import Any

import pytest

from trunkline.mock.call import Asked
from trunkline.mock.checks.gemini import check
from trunkline.mock.script import Scene
from trunkline.mock.seals import seal

Json = dict[str, Any]
SIGNED = seal("f", kind="thought")


def user(*parts: Json) -> Json:
    return {"role": "user", "parts": list(parts) or [{"text": "go"}]}


def model(*parts: Json) -> Json:
    return {"role": "model", "parts": list(parts)}


def call(name: str = "f", signature: str | None = SIGNED) -> Json:
    return {"functionCall": {"name": name, "args": {}}} | ({} if signature is None else {"thoughtSignature": signature})


def result(name: str = "f", response: object = None) -> Json:
    return {"functionResponse": {"name": name, "response": {"a": 1} if response is None else response}}


def refusal(*turns: Json, model: str = "gemini-3-pro", scene: Scene = Scene(), **fields: Any) -> str:  # noqa: B008
    found = check(Asked(path="/", model=model, body={"contents": list(turns)} | fields), scene)
    return "" if found is None else found.message


@pytest.mark.parametrize(
    "turns",
    [
        (user(),),
        (user(), model(call(), call("g", None)), user(result(), result("g"))),
        (user(), model(call("f", SIGNED.replace("+", "-").replace("/", "_"))), user(result())),
        (user(), model(call("f", "skip_thought_signature_validator")), user(result())),
        (user(), model(call("f", "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=")), user(result())),
        ({"parts": [{"text": "no role"}]},),
    ],
)
def test_good_contents(turns: tuple[Json, ...]) -> None:
    assert refusal(*turns) == ""


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ((), "contents is not specified"),
        (({"role": "assistant", "parts": [{"text": "x"}]},), "valid role"),
        (({"role": "user", "parts": []},), "must not be empty"),
        ((user({"thoughtSignature": SIGNED}),), "oneof field"),
        ((user(result()),), "immediately after"),
        ((user(), model(call()), user(), user(result())), "immediately after"),
        ((user(), model(call(), call("g", None)), user(result())), "equal to the number"),
        ((user(), model(call()), user(result("g"))), "names match"),
        ((user(), model(call()), user(result(response="text"))), "Struct"),
        ((user(), model(call(signature=None)), user(result())), "missing a thought_signature"),
        ((user(), model(call(signature="foreign")), user(result())), "not valid"),
    ],
)
def test_wrong_contents(turns: tuple[Json, ...], said: str) -> None:
    assert said in refusal(*turns)


def test_older_models_need_no_signature() -> None:
    assert refusal(user(), model(call(signature=None)), user(result()), model="gemini-2.5-pro") == ""


def test_a_schema_outside_of_the_subset_with_strict() -> None:
    schema: Json = {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}}}
    tools = [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]
    assert refusal(user(), tools=tools) == ""
    assert '"oneOf"' in refusal(user(), tools=tools, scene=Scene(strict=True))
    tools = [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}]}]
    assert refusal(user(), tools=tools, scene=Scene(strict=True)) == ""
