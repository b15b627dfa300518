"""Forms, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.forms import MAX_FIELDS, MAX_TEXT, Field, is_form, read_form, write_form
from trunkline.errors import ApiError


@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z_]{1,10}(\[\])?", fullmatch=True), st.binary(max_size=200), st.booleans()), min_size=1, max_size=8
    )
)
def test_what_is_written_is_read(fields: list[tuple[str, bytes, bool]]) -> None:
    given = [
        Field(name, value, "a.wav" if file else None, "audio/wav" if file else "application/octet-stream") for name, value, file in fields
    ]
    body, content_type = write_form(given)
    assert is_form(body)
    assert content_type == f"multipart/form-data; boundary={body[2 : body.index(bytes((13, 10)))].decode()}"
    assert [(one.name, one.value, one.filename) for one in read_form(body)] == [(one.name, one.value, one.filename) for one in given]


def test_a_field_cannot_hold_the_boundary() -> None:
    _body, content_type = write_form([Field("a", b"x")])
    boundary = content_type.partition("=")[2].encode()
    forged = b"x\r\n--" + boundary + b'\r\nContent-Disposition: form-data; name="model"\r\n\r\ndear'
    assert [one.name for one in read_form(write_form([Field("a", forged)])[0])] == ["a"]


@pytest.mark.parametrize("body", [b"--", b"--\r\n", b"--x\r\nno part", b"--" + b"x" * 71 + b"\r\n", b"--x\r\n\r\n", b"--x--\r\nrest"])
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        read_form(body)
    assert caught.value.status == 400


@given(st.binary(max_size=300))
def test_garbage_is_an_error_and_nothing_else(garbage: bytes) -> None:
    try:
        read_form(b"--b\r\n" + garbage)
    except ApiError as error:
        assert error.status == 400


def test_bounds() -> None:
    with pytest.raises(ApiError, match=r"^note: "):
        read_form(write_form([Field("note", b"x" * (MAX_TEXT + 1))])[0])
    with pytest.raises(ApiError, match="not a form"):
        read_form(write_form([Field("a", b"x")] * (MAX_FIELDS + 1))[0])
    assert len(read_form(write_form([Field("file", b"x" * 10**6, "a.wav")])[0])[0].value) == 10**6


def test_json_is_no_form() -> None:
    assert not is_form(b'{"a":1}')
    assert Field("a", b"\xff").text == "\ufffd"
