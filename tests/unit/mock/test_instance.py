import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.mock.instance import instance

SCHEMAS: list[dict[str, object]] = [
    {},
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]},
    {"type": ["null", "string"]},
    {"enum": ["x", "y"]},
    {"const": {"deep": [1]}},
    {"anyOf": [{"type": "integer", "minimum": 4}, {"type": "null"}]},
    {"oneOf": [{"type": "boolean"}, {"type": "string"}]},
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
            {"properties": {"b": {"const": 2}}, "required": ["b"]},
        ]
    },
    {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"type": "array", "minItems": 1, "items": {"type": "number"}}}},
    {"type": "array", "items": {"type": "string", "minLength": 9}, "minItems": 2},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}], "minItems": 3},
    {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "v": {"type": "number"}}, "required": ["v"]}},
    },
    {"type": "string", "maxLength": 2},
    {"type": "string", "format": "date-time"},
    {"type": "integer", "exclusiveMinimum": 3},
    {"type": "integer", "minimum": 3, "multipleOf": 5},
    {"type": "number", "maximum": -2},
    {"type": "integer", "exclusiveMaximum": 0},
    {"properties": {"a": {"type": "boolean"}}, "required": ["a"]},
    {"items": {"type": "string"}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_the_instance_is_valid(schema: dict[str, object]) -> None:
    jsonschema_rs.validate(schema, instance(schema), validate_formats=True)


@given(st.integers(-50, 50), st.integers(0, 50), st.booleans(), st.booleans())
def test_bounded_numbers_are_valid(low: int, width: int, exclusive_low: bool, exclusive_high: bool) -> None:
    schema = {
        "type": "integer",
        "exclusiveMinimum" if exclusive_low else "minimum": low,
        "exclusiveMaximum" if exclusive_high else "maximum": low + width + 2,
    }
    jsonschema_rs.validate(schema, instance(schema))


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_nonsense_schemas_do_not_raise(schema: object) -> None:
    instance(schema)


def test_only_what_must_be_there_is_made() -> None:
    assert instance({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]}) == {"b": "mock"}
