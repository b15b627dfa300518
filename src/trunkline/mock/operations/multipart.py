"""Reading `multipart/form-data` (RFC 7578), of which the mock holds the whole body."""

import re
from collections.abc import Iterator

from msgspec import Struct

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_PARAMETER = re.compile(rb'(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)


class Field(Struct, frozen=True):
    """One field of a form. `filename` is empty for plain values."""

    name: str
    filename: str
    data: bytes


def fields_of(content_type: str, body: bytes) -> Iterator[Field]:
    """The fields of a form; none for another content type."""
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().startswith("multipart/form-data"):
        return
    for part in (b"\r\n" + body).split(b"\r\n--" + found[1].encode())[1:]:
        head, gap, data = part.partition(b"\r\n\r\n")
        names = {key.lower(): value.decode("utf-8", "replace") for key, value in _PARAMETER.findall(head)}
        if gap and b"name" in names:
            yield Field(names[b"name"], names.get(b"filename", ""), data)
