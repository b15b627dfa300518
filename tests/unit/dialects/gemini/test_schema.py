"""JSON schemas for Gemini: mended in the full dialect, rewritten in the OpenAPI subset (adapters 2.4, class 18)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.gemini.schema import MAX_NODES, native, subset
from trunkline.errors import ApiError


def mended(schema: object) -> Any:
    return msgspec.json.decode(native(Raw(msgspec.json.encode(schema)), "tools: f"))


def written(schema: object) -> Any:
    return subset(Raw(msgspec.json.encode(schema)), "tools: f")


def test_a_schema_that_needs_nothing_keeps_its_bytes() -> None:
    schema = Raw(b'{ "type" : "object", "properties": {"b": {"type":"number","maximum":1e2}, "a": {"type":["string","null"]}} }')
    assert native(schema, "x") is schema


def test_a_tree_that_holds_itself_stays_as_it_is() -> None:
    tree = {
        "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]}},
        "$ref": "#/$defs/Node",
    }
    assert mended(tree) == tree


def test_constants_become_enums() -> None:
    assert mended({"properties": {"a": {"const": "x"}, "b": {"anyOf": [{"const": 1}, {"const": None}]}}}) == {
        "properties": {"a": {"enum": ["x"]}, "b": {"anyOf": [{"enum": [1]}, {"enum": [None]}]}}
    }


def test_words_beside_a_reference() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {"City": {"type": "string", "description": "old"}},
        "properties": {"home": {"$ref": "#/$defs/City", "description": "new"}, "work": {"$ref": "#/$defs/City"}},
    }
    assert mended(schema) == {
        "$defs": {"City": {"type": "string", "description": "old"}},
        "properties": {"home": {"type": "string", "description": "new"}, "work": {"$ref": "#/$defs/City"}},
    }


def test_old_definitions_move() -> None:
    schema = {"definitions": {"A": {"type": "string"}}, "properties": {"a": {"$ref": "#/definitions/A"}}}
    assert mended(schema) == {"$defs": {"A": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/A"}}}


def test_words_beside_a_reference_to_itself_are_dropped() -> None:
    schema = {"$defs": {"N": {"type": "object", "properties": {"n": {"$ref": "#/$defs/N", "title": "t"}}}}, "$ref": "#/$defs/N"}
    inner = mended(schema)["$defs"]["N"]["properties"]["n"]
    assert inner["title"] == "t"
    assert inner["properties"]["n"] == {"$ref": "#/$defs/N"}


def test_bug_18_properties_may_be_called_like_words_of_the_schema() -> None:
    named = {"$ref": {"type": "string"}, "const": {"type": "string"}, "ref": {"type": "string"}, "$schema": {"type": "string"}}
    named |= {"definitions": {"type": "string"}, "anyOf": {"type": "string"}, "type": {"type": "string"}}
    schema = {"type": "object", "properties": named}
    assert mended(schema) == schema
    assert written(schema) == schema


def test_bug_18_the_subset_has_no_references_unions_or_nulls() -> None:
    schema = {
        "$defs": {"City": {"title": "City", "type": "string", "enum": ["Paris", "Rome"]}},
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "city": {"$ref": "#/$defs/City", "description": "where"},
            "maybe": {"anyOf": [{"$ref": "#/$defs/City"}, {"type": "null"}], "default": None, "description": "perhaps"},
            "either": {"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}], "description": "one"},
            "both": {"type": ["string", "null"], "maxLength": 5},
            "kind": {"const": "a"},
            "level": {"type": "integer", "enum": [1, 2], "exclusiveMinimum": 0},
            "day": {"type": "string", "format": "date"},
            "at": {"type": "string", "format": "date-time"},
            "list": {"type": "array"},
            "all": {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {"type": "number"}}}]},
            "free": {},
        },
        "required": ["city", "ghost"],
    }
    city = {"type": "string", "title": "City", "enum": ["Paris", "Rome"]}
    assert written(schema) == {
        "type": "object",
        "properties": {
            "city": {**city, "description": "where"},
            "maybe": {**city, "description": "perhaps", "nullable": True},
            "either": {
                "anyOf": [
                    {"type": "string", "description": "one", "nullable": True},
                    {"type": "integer", "description": "one", "nullable": True},
                ]
            },
            "both": {"type": "string", "nullable": True, "maxLength": 5},
            "kind": {"type": "string", "enum": ["a"]},
            "level": {"type": "integer", "description": "One of: 1, 2."},
            "day": {"type": "string", "description": "Format: date."},
            "at": {"type": "string", "format": "date-time"},
            "list": {"type": "array", "items": {"type": "string"}},
            "all": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}, "required": ["a"]},
            "free": {"type": "string"},
        },
        "required": ["city"],
    }


def test_bug_18_recursion_ends() -> None:
    node = {"type": "object", "description": "a node", "properties": {"v": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}}}
    found = written({"$defs": {"Node": node}, "$ref": "#/$defs/Node"})
    assert found["properties"]["next"] == {"type": "object"}
    assert written({"type": "object", "properties": {"me": {"$ref": "#"}}})["properties"]["me"]["type"] == "object"
    assert written({"$ref": "#/$defs/Missing", "description": "gone"}) == {"type": "object", "description": "gone"}


@pytest.mark.parametrize("write", [mended, written])
def test_references_that_double_do_not_explode(write: Any) -> None:
    defs = {f"D{n}": {"type": "object", "properties": {k: {"$ref": f"#/$defs/D{n + 1}", "title": k} for k in "ab"}} for n in range(40)}
    found = write({"$defs": {**defs, "D40": {"type": "string"}}, "$ref": "#/$defs/D0", "title": "t"})
    assert len(msgspec.json.encode(found)) < 200 * MAX_NODES


@pytest.mark.parametrize("write", [mended, written])
def test_depth_has_an_end(write: Any) -> None:
    schema: dict[str, object] = {"const": "x"}
    for _ in range(300):
        schema = {"type": "array", "items": schema}
    assert msgspec.json.encode(write(schema)).count(b"items") < 100


@pytest.mark.parametrize("schema", [b"[]", b"true", b'"x"', b"null", b'{"const":', b'["$ref"]'])
def test_what_is_no_object_is_refused(schema: bytes) -> None:
    for write in (native, subset):
        with pytest.raises(ApiError, match="tools: f: "):
            write(Raw(schema), "tools: f")


WORDS = st.sampled_from(
    ["$ref", "$defs", "type", "properties", "items", "anyOf", "oneOf", "allOf", "enum", "const", "required", "definitions", "format", "x"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(["#", "#/$defs/x", "#/definitions/x", "string", "null", "array"])
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=25)


@given(st.dictionaries(WORDS, TREES, max_size=5))
def test_any_schema_is_written(schema: dict[str, object]) -> None:
    raw = Raw(msgspec.json.encode(schema))
    assert isinstance(msgspec.json.decode(native(raw, "x")), dict)
    found = msgspec.json.decode(msgspec.json.encode(subset(raw, "x")))
    assert "$ref" not in found
    assert "oneOf" not in found
