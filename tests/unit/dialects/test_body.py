import msgspec
import pytest
from msgspec import Raw, Struct

from trunkline.dialects.body import read_body, read_schema
from trunkline.errors import ApiError


class Fields(Struct):
    count: int
    inner: "Inner | None" = None


class Inner(Struct):
    name: str


READ = msgspec.json.Decoder(Fields)


def test_keys_keep_their_order_and_bytes() -> None:
    raw, fields = read_body(b'{"z": [1.0, 2],"count":3}', READ)
    assert list(raw) == ["z", "count"]
    assert bytes(raw["z"]) == b"[1.0, 2]"
    assert fields.count == 3


@pytest.mark.parametrize(
    ("body", "start"),
    [
        (b'{"count":"x"}', "count: Expected int"),
        (b'{"count":1,"inner":{"name":2}}', "inner.name: Expected str"),
        (b"[]", "The request body: Expected"),
        (b'{"count":', "The request body is not valid JSON"),
        (b'{"count":1,"x":' + b"[" * 2000 + b"]" * 2000 + b"}", "The request body is not valid JSON: nested too deeply"),
    ],
)
def test_errors_name_the_field(body: bytes, start: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_body(body, READ)
    assert caught.value.error_type == "invalid_request"
    assert caught.value.message.startswith(start)


def test_a_byte_order_mark_is_read_over() -> None:
    raw, fields = read_body(b'\xef\xbb\xbf{"count":1}', READ)
    assert fields.count == 1
    assert list(raw) == ["count"]


def test_a_schema_is_an_object() -> None:
    assert read_schema(Raw(b'{"type":"object"}'), "tools[0]") == {"type": "object"}
    for schema, words in ((b"[]", "tools[0]: Expected a JSON schema"), (b"{", "tools[0]: ")):
        with pytest.raises(ApiError) as caught:
            read_schema(Raw(schema), "tools[0]")
        assert caught.value.message.startswith(words)
