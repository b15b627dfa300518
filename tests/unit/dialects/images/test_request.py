"""What `POST /images` takes, and which field an error names."""

import msgspec
import pytest

from trunkline.dialects.images.request import parse
from trunkline.errors import ApiError
from trunkline.protocol.usage import Units


def read(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", "prompt": "a cat", **fields}))


def reference(url: str) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


def test_defaults_and_wishes() -> None:
    request = read()
    assert (request.count, request.stream, request.expected, request.outputs) == (1, False, Units(images=1), {"image"})
    request = read(n=3, stream=True, quality="high", seed=7, background="transparent", output_format="webp", size="1024x1024")
    assert (request.count, request.stream, request.quality, request.seed, request.format) == (3, True, "high", 7, "webp")
    assert request.size.pixels == (1024, 1024)


def test_references_are_images() -> None:
    request = read(input_references=[reference("data:image/png;base64,AA=="), reference("https://x/y.png")])
    assert request.references == ("data:image/png;base64,AA==", "https://x/y.png")
    assert request.modalities == {"image"}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"prompt": ""}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"quality": "best"}, "quality"),
        ({"output_format": "gif"}, "output_format"),
        ({"output_compression": 101}, "output_compression"),
        ({"background": "transparent", "output_format": "jpeg"}, "background"),
        ({"size": "huge"}, "size"),
        ({"input_references": [reference("x")] * 17}, "input_references"),
        ({"input_references": [{"type": "text"}]}, "input_references[0]"),
        ({"input_references": [reference("")]}, "input_references[0].image_url.url"),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], names: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(**fields)
    assert caught.value.status == 400
    assert names.replace("[0]", "[...]") in caught.value.message or names in caught.value.message
