import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.mock.operations.multipart import Field, fields_of


def form(*fields: Field, boundary: str = "XyZ") -> bytes:
    out = io.BytesIO()
    for field in fields:
        name = f'; filename="{field.filename}"\r\nContent-Type: audio/wav' if field.filename else ""
        out.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{field.name}"{name}\r\n\r\n'.encode() + field.data + b"\r\n")
    out.write(f"--{boundary}--\r\n".encode())
    return out.getvalue()


@given(st.lists(st.builds(Field, st.sampled_from("ab"), st.sampled_from(["", "x.wav"]), st.binary(max_size=40)), max_size=4))
def test_fields_are_read_as_they_were_written(fields: list[Field]) -> None:
    assert list(fields_of('multipart/form-data; boundary="Xy--Z"', form(*fields, boundary="Xy--Z"))) == fields


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "", "text/plain; boundary=XyZ"])
def test_other_bodies_have_none(content_type: str) -> None:
    assert list(fields_of(content_type, form(Field("a", "", b"1")))) == []


def test_what_is_cut_off_is_read_as_far_as_it_goes() -> None:
    whole = form(Field("a", "", b"1"), Field("b", "", b"2"))
    assert [field.name for field in fields_of("multipart/form-data; boundary=XyZ", whole[: whole.index(b'"b"')])] == ["a"]
