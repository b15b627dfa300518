import json

import pytest
from msgspec import Raw

from trunkline.dialects.messages.schemas import answer_schema, input_schema, is_object, is_recursive


def fitted(schema: object) -> dict[str, object]:
    return json.loads(bytes(input_schema(Raw(json.dumps(schema).encode()))))  # type: ignore[no-any-return]


def narrowed(schema: object) -> object:
    made = answer_schema(Raw(json.dumps(schema).encode()))
    return None if made is None else json.loads(bytes(made))


def test_bug_11_a_schema_that_fits_keeps_its_bytes() -> None:
    raw = Raw(b'{ "type":"object", "properties": {"z":{"type":"integer"},"a":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/X"}]}} }')
    assert input_schema(raw) is raw


@pytest.mark.parametrize("raw", [None, Raw(b"{}"), Raw(b"null"), Raw(b"true")])
def test_no_schema_is_an_object_without_properties(raw: Raw | None) -> None:
    assert bytes(input_schema(raw)) == b'{"type":"object","properties":{}}'


def test_bug_18_a_reference_at_the_root_is_resolved() -> None:
    schema = {"$ref": "#/$defs/Args", "$defs": {"Args": {"type": "object", "properties": {"ref": {"type": "string"}}, "required": ["ref"]}}}
    made = fitted(schema)
    assert made["type"] == "object"
    assert made["properties"] == {"ref": {"type": "string"}}
    assert made["required"] == ["ref"]
    assert "$ref" not in made
    assert "$defs" in made


def test_bug_18_alternatives_at_the_root_become_one_object() -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}, "k": {"const": 1}}, "required": ["a", "k"]}
    other = {"type": "object", "properties": {"b": {"type": "string"}, "k": {"const": 2}}, "required": ["b", "k"]}
    made = fitted({"anyOf": [one, other, {"type": "null"}], "description": "d"})
    assert made["properties"].keys() == {"a", "b", "k"}  # type: ignore[attr-defined]
    assert (made["type"], made["required"], made["description"]) == ("object", ["k"], "d")
    assert "anyOf" not in made


def test_bug_18_parts_at_the_root_are_joined() -> None:
    made = fitted(
        {
            "allOf": [{"$ref": "#/definitions/A"}, {"properties": {"b": {}}, "required": ["b"]}],
            "definitions": {"A": {"properties": {"a": {}}, "required": ["a"]}},
        }
    )
    assert made["properties"].keys() == {"a", "b"}  # type: ignore[attr-defined]
    assert set(made["required"]) == {"a", "b"}  # type: ignore[arg-type]


def test_bug_18_a_nullable_object_is_an_object() -> None:
    assert fitted({"type": ["object", "null"], "properties": {"a": {}}}) == {"type": "object", "properties": {"a": {}}}


def test_bug_18_a_root_that_contains_itself_ends() -> None:
    assert fitted({"$ref": "#"})["type"] == "object"
    assert fitted({"$ref": "#/nowhere"})["properties"] == {}
    assert fitted({"allOf": [{"$ref": "https://else.where/x"}]})["properties"] == {}


@pytest.mark.parametrize(
    ("schema", "recursive"),
    [
        ({"type": "object", "properties": {"next": {"$ref": "#"}}}, True),
        ({"$ref": "#/$defs/N", "$defs": {"N": {"properties": {"n": {"items": {"$ref": "#/$defs/N"}}}}}}, True),
        ({"properties": {"a": {"$ref": "#/$defs/X"}, "b": {"$ref": "#/$defs/X"}}, "$defs": {"X": {"type": "string"}}}, False),
        ({"properties": {"$ref": {"type": "string"}}}, False),
        ([1], False),
    ],
)
def test_bug_18_recursion_is_seen(schema: object, recursive: bool) -> None:
    assert is_recursive(Raw(json.dumps(schema).encode())) is recursive


def test_bug_23_objects_of_an_answer_are_closed() -> None:
    made = narrowed({"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}})
    assert made["additionalProperties"] is False  # type: ignore[index]
    assert made["properties"]["a"]["additionalProperties"] is False  # type: ignore[index]


def test_constraints_that_anthropic_does_not_know_are_left_out() -> None:
    schema = {
        "type": "object",
        "properties": {
            "minimum": {"type": "integer", "minimum": 3, "maximum": 9},
            "when": {"type": "string", "format": "date-time", "minLength": 1},
            "odd": {"type": "string", "format": "regex"},
            "list": {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 2, "uniqueItems": True},
            "one": {"oneOf": [{"type": "null"}, {"type": "integer", "multipleOf": 2}]},
        },
        "additionalProperties": False,
    }
    assert narrowed(schema)["properties"] == {  # type: ignore[index]
        "minimum": {"type": "integer"},
        "when": {"type": "string", "format": "date-time"},
        "odd": {"type": "string"},
        "list": {"type": "array", "items": {"type": "string"}},
        "one": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    }


def test_an_answer_schema_that_fits_keeps_its_bytes() -> None:
    raw = Raw(b'{"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}')
    assert answer_schema(raw) is raw


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"not": {}}}},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        [1],
    ],
)
def test_what_the_smaller_language_cannot_say_is_not_said(schema: object) -> None:
    assert narrowed(schema) is None


def test_only_objects_can_be_the_input_of_a_tool() -> None:
    assert is_object(Raw(b'{"type":"object"}'))
    assert not is_object(Raw(b'{"type":"array"}'))


def test_references_that_multiply_cost_no_time() -> None:
    """64 definitions, each of which names the next one twice."""
    named = {f"D{index}": {"anyOf": [{"$ref": f"#/$defs/D{index + 1}"}] * 2} for index in range(64)}
    schema = {"anyOf": [{"$ref": "#/$defs/D0"}] * 2, "$defs": {**named, "D64": {"type": "object", "properties": {"a": {}}}}}
    raw = Raw(json.dumps(schema).encode())
    assert not is_recursive(raw)
    assert fitted(schema)["type"] == "object"
    assert answer_schema(raw) is not None


def test_a_schema_that_is_too_deep_counts_as_recursive() -> None:
    raw = Raw(b'{"items":' * 900 + b"{}" + b"}" * 900)
    assert is_recursive(raw)
    assert answer_schema(raw) is None
