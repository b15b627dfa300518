"""What `POST /embeddings` takes, and which field an error names."""

import msgspec
import pytest

from trunkline.dialects.embeddings.request import MAX_INPUTS, parse
from trunkline.errors import ApiError


def read(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", **fields}))


def test_one_text_several_texts_and_tokens() -> None:
    assert read(input="hi").inputs == ("hi",)
    assert read(input=["a", "b"]).inputs == ("a", "b")
    assert read(input=[1, 2, 3]).inputs == ([1, 2, 3],)
    assert read(input=[[1, 2], [3]]).inputs == ([1, 2], [3])


def test_text_bytes_are_estimated_from_text_and_tokens() -> None:
    assert read(input=["né", [7, 8]]).prompt_bytes == 3 + 8


def test_media_are_modalities() -> None:
    parts = [{"type": "text", "text": "a cat"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    request = read(input=[{"content": parts}])
    assert (request.modalities, request.inputs, request.prompt_bytes) == (frozenset(("image",)), (tuple(parts),), 5)


def test_options_are_read() -> None:
    request = read(input="hi", encoding_format="base64", dimensions=8, input_type="search_query", user="u", provider={"order": ["x"]})
    assert (request.base64, request.dimensions, request.input_type, request.user) == (True, 8, "search_query", "u")
    assert request.preferences.order == ("x",)
    assert request.outputs == {"embeddings"}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": ""}, "input"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": [1, "a"]}, "input"),
        ({"input": ["a", 1]}, "input[1]"),
        ({"input": [True]}, "input"),
        ({"input": [[]]}, "input[0]"),
        ({"input": ["a"] * (MAX_INPUTS + 1)}, "input"),
        ({"input": [{"content": []}]}, "input"),
        ({"input": [{"content": [{"type": "smell"}]}]}, "input[0].content[0].type"),
        ({"input": [{"content": [{"type": "text", "text": ""}]}]}, "input[0].content[0].text"),
        ({"input": [{"content": [{"type": "image_url", "image_url": "x"}]}]}, "input[0].content[0].image_url.url"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "a", "model": ""}, "model"),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], names: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(**fields)
    assert caught.value.status == 400
    assert names in caught.value.message
