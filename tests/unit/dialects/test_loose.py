import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects import loose
from trunkline.errors import MalformedResponse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_reads_what_the_standard_library_writes(value: object) -> None:
    assert loose.decode(json.dumps(value).encode()) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b'{"a":"\\ud83d"}', {"a": "\ufffd"}),
        (b'{"\\udc00":["x\\ud800y"]}', {"\ufffd": ["x\ufffdy"]}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'{"a":123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_reads_what_strict_parsers_refuse(document: bytes, value: object) -> None:
    assert loose.decode(document) == value
    assert msgspec.json.decode(loose.strict(document)) == value


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (b'{"a":1,\n "b" 2}', "line 2 column 6"),
        (b"", "line 1 column 1"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
        (b'{"a":1e400}', "out of range"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":1} trailing', "Extra data at line 1 column 9"),
    ],
)
def test_says_what_is_wrong_and_where(document: bytes, place: str) -> None:
    with pytest.raises(ValueError, match=place):
        loose.decode(document)


def test_what_an_upstream_sent_is_read_into_its_shape() -> None:
    numbers = msgspec.json.Decoder(list[int])
    assert loose.read(b"[1]", numbers, "Acme's") == loose.read(b"\xef\xbb\xbf[1]", numbers, "Acme's") == [1]
    with pytest.raises(MalformedResponse, match="not an answer of Acme's: Expected `array`"):
        loose.read(b"{}", numbers, "Acme's")
    for broken in (b"[1", b"", b"[1,\xff]"):
        with pytest.raises(MalformedResponse, match="not JSON"):
            loose.read(broken, numbers, "Acme's")
