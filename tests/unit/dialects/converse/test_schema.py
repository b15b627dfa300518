"""Schemas of tools and of structured answers (bug class 18)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.converse.schema import answer_schema, input_schema, is_object
from trunkline.errors import ApiError


def raw(schema: object) -> Raw:
    return Raw(msgspec.json.encode(schema))


def sent(schema: object) -> Any:
    return msgspec.json.decode(input_schema(raw(schema), "tools"))


def test_bug_11_a_schema_that_fits_keeps_its_bytes() -> None:
    given_bytes = Raw(b'{ "type":"object" , "properties":{"b":{"$ref":"#/$defs/x"},"a":{}}, "$defs":{"x":{"type":"string"}} }')
    assert input_schema(given_bytes, "tools") is given_bytes


@pytest.mark.parametrize("nothing", [None, Raw(b"null"), Raw(b"{}")])
def test_a_tool_without_parameters_takes_an_empty_object(nothing: Raw | None) -> None:
    assert msgspec.json.decode(input_schema(nothing, "tools")) == {"type": "object", "properties": {}}


def test_bug_18_the_root_is_a_plain_object() -> None:
    assert sent({"properties": {"a": {}}}) == {"type": "object", "properties": {"a": {}}}
    one, other = {"properties": {"a": {}, "b": {}}, "required": ["a", "b"]}, {"properties": {"a": {}}, "required": ["a"]}
    assert sent({"anyOf": [one, other]}) == {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}
    assert sent({"allOf": [one, {"properties": {"c": {}}, "required": ["c"]}], "description": "d"}) == {
        "type": "object",
        "description": "d",
        "properties": {"a": {}, "b": {}, "c": {}},
        "required": ["a", "b", "c"],
    }


def test_bug_18_a_root_that_is_a_reference_is_spelled_out() -> None:
    schema = {"$ref": "#/$defs/In", "$defs": {"In": {"type": "object", "properties": {"$ref": {"type": "string"}}, "required": ["$ref"]}}}
    got = sent(schema)
    assert (got["type"], got["properties"], got["required"]) == ("object", {"$ref": {"type": "string"}}, ["$ref"])
    assert got["$defs"] == schema["$defs"]


def test_bug_18_recursion_at_the_root_ends() -> None:
    assert sent({"$ref": "#"})["type"] == "object"
    assert sent({"anyOf": [{"$ref": "#/nowhere"}, {"$ref": "elsewhere"}]})["properties"] == {}


def test_bug_18_few_references_do_not_become_many_parts() -> None:
    twice = {"anyOf": [{"$ref": "#"}] * 3, "allOf": [{"$ref": "#"}] * 3}
    assert sent(twice)["type"] == "object"
    chain = {f"d{number}": {"anyOf": [{"$ref": f"#/$defs/d{number + 1}"}] * 4} for number in range(12)}
    assert answer_schema(raw({"$ref": "#/$defs/d0", "$defs": chain})) is None
    assert sent({"$ref": "#/$defs/d0", "$defs": chain})["type"] == "object"


@pytest.mark.parametrize("schema", [b"[]", b"true", b'"x"', b"{"])
def test_what_is_no_schema_is_named(schema: bytes) -> None:
    with pytest.raises(ApiError, match="tools: f: "):
        input_schema(Raw(schema), "tools: f")


def test_a_structured_answer_closes_its_objects_and_drops_constraints() -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 1}, "minimum": {"type": "array", "minItems": 3, "items": {"properties": {}}}},
        "required": ["n"],
    }
    got = answer_schema(raw(schema))
    assert got is not None
    assert msgspec.json.decode(got) == {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "minimum": {"type": "array", "minItems": 1, "items": {"properties": {}, "additionalProperties": False}},
        },
        "required": ["n"],
        "additionalProperties": False,
    }


def test_a_structured_answer_that_fits_keeps_its_bytes() -> None:
    given_bytes = Raw(b'{"type":"object","properties":{"b":{"type":"string"}}, "additionalProperties":false}')
    assert answer_schema(given_bytes) is given_bytes


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"not": {"type": "string"}}}},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}}},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/a"}]}}}}},
        [],
    ],
)
def test_what_a_structured_answer_cannot_say(schema: object) -> None:
    assert answer_schema(raw(schema)) is None


def test_is_object() -> None:
    assert is_object(raw({"type": "object"}))
    assert not is_object(raw({"type": "array"}))
    assert not is_object(Raw(b"[]"))


WORDS = st.sampled_from(
    ["type", "properties", "items", "anyOf", "allOf", "oneOf", "$ref", "$defs", "required", "additionalProperties", "a"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)
)


@given(st.dictionaries(WORDS, VALUES | st.just("#") | st.just("object")))
def test_no_schema_breaks_it(schema: dict[str, object]) -> None:
    assert sent(schema)["type"] == "object"
    answer_schema(raw(schema))
