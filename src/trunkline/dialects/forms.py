"""Forms (`multipart/form-data`, RFC 7578): read from a caller, written for an upstream."""

import hashlib
import io
from collections.abc import Sequence

import multipart
from msgspec import Struct

from trunkline.errors import ApiError

MAX_FIELDS = 100
MAX_TEXT = 64 * 1024
MAX_FORM = 64 * 1024 * 1024
_OPENING = b"--"
_LONGEST_BOUNDARY = 70


class Field(Struct, frozen=True):
    """One field. `filename` is None for plain text."""

    name: str
    value: bytes
    filename: str | None = None
    content_type: str = "application/octet-stream"

    @property
    def text(self) -> str:
        """The value of a plain field."""
        return self.value.decode("utf-8", "replace")


def is_form(body: bytes) -> bool:
    """Whether a body is a form: it begins with the delimiter of its first part, as no JSON does."""
    return body[:2] == _OPENING


def read_form(body: bytes) -> list[Field]:
    """The fields of a form, in order. Raises ApiError("invalid_request").

    The boundary is read from the first line, where every client writes it (RFC 2046, 5.1.1, would allow a preamble before it).
    """
    boundary = body[2 : body.find(b"\r\n")]
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise ApiError("invalid_request", "The request body is not a form")
    try:
        parts = list(
            multipart.MultipartParser(
                io.BytesIO(body),
                boundary,
                content_length=len(body),
                part_limit=MAX_FIELDS,
                spool_limit=MAX_FORM,
                memory_limit=MAX_FORM,
                partsize_limit=MAX_FORM,
                strict=True,
            )
        )
    except (multipart.MultipartError, ValueError) as error:
        raise ApiError("invalid_request", f"The request body is not a form: {error}") from None
    if not parts:
        raise ApiError("invalid_request", "The form has no fields")
    return [_field(part) for part in parts]


def _field(part: multipart.MultipartPart) -> Field:
    if part.filename is None and part.size > MAX_TEXT:
        raise ApiError("invalid_request", f"{part.name}: The field is longer than {MAX_TEXT >> 10} KiB")
    return Field(part.name, part.raw, part.filename, part.content_type or "application/octet-stream")


def write_form(fields: Sequence[Field]) -> tuple[bytes, str]:
    """A form and its content type. The boundary is a digest of all that stands between, so that nothing of it can hold the boundary."""
    digest = hashlib.blake2b(digest_size=24)
    for field in fields:
        digest.update(field.name.encode() + b"\0" + field.value + b"\0")
    boundary = digest.hexdigest()
    pieces = [piece for field in fields for piece in (f"--{boundary}\r\n{_head(field)}\r\n\r\n".encode(), field.value, b"\r\n")]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def _head(field: Field) -> str:
    head = f'Content-Disposition: form-data; name="{field.name}"'
    return head if field.filename is None else f'{head}; filename="{field.filename}"\r\nContent-Type: {field.content_type}'
