import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.messages.arguments import free_text, object_of, text_of


def test_bug_11_the_text_of_an_object_is_kept_byte_for_byte() -> None:
    text = '{"z": 1.0, "a": [1, 2],  "big": 12345678901234567890123}'
    assert bytes(object_of(text)).decode() == text


@pytest.mark.parametrize("text", ["", "  ", "{}"])
def test_bug_05_no_arguments_are_an_empty_object(text: str) -> None:
    assert bytes(object_of(text)) == b"{}"


@pytest.mark.parametrize("text", ["[1]", "7", "{broken", '{"a": nan}', '{"a":1} more', "{" * 5000, '{"a":"\ud800"}'])
def test_text_that_is_no_object_is_wrapped(text: str) -> None:
    assert json.loads(bytes(object_of(text))).keys() == {"INVALID_JSON"}


@given(st.text())
def test_every_text_becomes_an_object(text: str) -> None:
    assert isinstance(json.loads(bytes(object_of(text))), dict)


@given(st.text())
def test_free_text_survives(text: str) -> None:
    assert text_of(bytes(free_text(text)).decode()) == text


@pytest.mark.parametrize("text", ["{broken", "[1]", '{"other":1}', '{"input":5}'])
def test_arguments_without_free_text_stay(text: str) -> None:
    assert text_of(text) == text
