"""Answers judged by the form that was asked for."""

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.metering.structured import MAX_CHARACTERS, FormEvidence, FormJudge

SCHEMA = {
    "type": "object",
    "properties": {"city": {"$ref": "#/$defs/name"}, "days": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"name": {"type": "string", "minLength": 1}},
}
OBJECT = {"type": "json_object"}


def chat(schema: object) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def held(schema: object) -> dict[str, object]:
    """As Responses (`text`) and Messages (`output_config`) hold it, beside other fields."""
    return {"effort": "low", "format": {"type": "json_schema", "name": "answer", "schema": schema}}


def evidence(form: object, text: str | None) -> FormEvidence:
    return FormEvidence(form if isinstance(form, bytes) else msgspec.json.encode(form), lambda: text, 0)


def is_invalid(form: object, text: str | None) -> bool | None:
    return FormJudge().is_invalid(evidence(form, text))


@pytest.mark.parametrize(
    ("text", "invalid"),
    [
        ('{"city": "Bern"}', False),
        (' \n{"city": "Bern", "days": 2}\n', False),
        ('{"city": "Bern", "days": 2.5}', True),
        ('{"city": ""}', True),
        ('{"town": "Bern"}', True),
        ("[]", True),
        ('{"city": "Bern"', True),
        ('```json\n{"city": "Bern"}\n```', True),
        ('Here it is: {"city": "Bern"}', True),
        ("", True),
        ("\ud800", True),
        ("[" * 5000, True),
    ],
)
@pytest.mark.parametrize("form", [chat(SCHEMA), held(SCHEMA)], ids=["chat", "held"])
def test_json_of_a_schema(form: object, text: str, invalid: bool) -> None:
    assert is_invalid(form, text) is invalid


@pytest.mark.parametrize(
    ("text", "invalid"), [("{}", False), ('{"a": [1]}', False), ("[1]", True), ("1", True), ("{", True), ("Yes.", True)]
)
def test_any_object(text: str, invalid: bool) -> None:
    assert is_invalid(OBJECT, text) is invalid
    assert is_invalid({"format": OBJECT}, text) is invalid


@pytest.mark.parametrize("schema", [None, {}, {"type": "nonsense"}, "object", {"$ref": "https://example.com/schema.json"}])
def test_without_a_usable_schema_any_json_will_do(schema: object) -> None:
    assert is_invalid(chat(schema), "[1]") is False
    assert is_invalid(chat(schema), "[1") is True


@pytest.mark.parametrize(
    "form",
    [
        {"type": "text"},
        {"type": "grammar", "grammar": "root"},
        {},
        {"verbosity": "low"},
        {"format": {"type": "text"}},
        b"null",
        b"{",
        b"\xff",
    ],
)
def test_other_forms_are_not_judged(form: object) -> None:
    assert is_invalid(form, "no JSON") is None


def test_an_answer_that_is_unknown_or_too_long_is_not_judged() -> None:
    assert is_invalid(OBJECT, None) is None
    assert is_invalid(OBJECT, '{"a":"' + "x" * MAX_CHARACTERS + '"}') is None


def test_a_pattern_runs_in_linear_time() -> None:
    began = time.thread_time()
    assert is_invalid(chat({"type": "string", "pattern": "^(a+)+$"}), '"' + "a" * 50_000 + '!"') is True
    assert time.thread_time() - began < 2


def test_the_draft_is_the_one_that_the_schema_names() -> None:
    by_place = {"items": [{"type": "string"}]}
    draft7 = {"$schema": "http://json-schema.org/draft-07/schema#", **by_place}
    assert is_invalid(chat(draft7), "[1]") is True
    assert is_invalid(chat({"prefixItems": [{"type": "string"}]}), "[1]") is True


@given(st.binary(max_size=80) | st.sampled_from([b'{"format":1}', b'{"type":[]}', b'{"json_schema":{}}']), st.text(max_size=20))
def test_no_field_can_break_the_judge(form: bytes, text: str) -> None:
    assert is_invalid(form, text) in (None, True, False)
