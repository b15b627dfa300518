"""OpenAI's form of image generation."""

import base64

import msgspec
import pytest
from oneshots import offering
from pipelines import served

from trunkline.dialects.forms import read_form
from trunkline.dialects.images.generations import SHAPE
from trunkline.dialects.images.request import parse
from trunkline.errors import ApiError, MalformedResponse, UpstreamRefused
from trunkline.protocol.usage import Units

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
ONE = served("one")


def asked(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", "prompt": "a cat", **fields}))


def sent(**fields: object) -> dict[str, object]:
    body: dict[str, object] = msgspec.json.decode(SHAPE.send(asked(**fields), ONE)[0].body)
    return body


def test_the_call() -> None:
    wishes = {"n": 2, "quality": "low", "background": "opaque", "output_format": "webp", "output_compression": 50, "seed": 1, "user": "u"}
    assert sent(size="1536x1024", **wishes) == {"model": "m", "prompt": "a cat", "size": "1536x1024", **wishes}
    assert SHAPE.send(asked(), ONE)[0].url == "http://one.test/v1/images/generations"


@pytest.mark.parametrize(
    ("ratio", "size"), [("1:1", "1024x1024"), ("16:9", "1536x1024"), ("9:16", "1024x1536"), ("5:4", "1536x1024"), ("auto", None)]
)
def test_a_ratio_becomes_the_nearest_shape(ratio: str, size: str | None) -> None:
    assert sent(aspect_ratio=ratio).get("size") == size


def test_events_are_asked_for_where_they_come() -> None:
    shows = offering("one", "images", quirks={"stream": True})
    (sending,) = SHAPE.send(asked(stream=True), shows)
    assert msgspec.json.decode(sending.body)["stream"] is True
    assert "text/event-stream" in sending.accept
    assert "stream" not in sent(stream=True)


def test_reference_images_make_it_an_edit() -> None:
    parts = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]
    (sending,) = SHAPE.send(asked(input_references=parts, stream=True), offering("one", "images", quirks={"stream": True}))
    assert sending.url == "http://one.test/v1/images/edits"
    fields = [(one.name, one.value, one.filename) for one in read_form(sending.body)]
    assert ("prompt", b"a cat", None) in fields and ("stream", b"true", None) in fields
    assert ("image[]", base64.b64decode(PNG), "reference-0.png") in fields


@pytest.mark.parametrize("url", ["https://x/y.png", "data:image/png;base64,!"])
def test_references_it_cannot_send(url: str) -> None:
    with pytest.raises(ApiError, match=r"^input_references\[0\]"):
        SHAPE.send(asked(input_references=[{"type": "image_url", "image_url": {"url": url}}]), ONE)


def test_an_answer() -> None:
    usage = {
        "input_tokens": 20,
        "output_tokens": 4160,
        "total_tokens": 4180,
        "input_tokens_details": {"text_tokens": 8, "image_tokens": 12},
    }
    result = SHAPE.read(asked(), ONE, [msgspec.json.encode({"created": 1, "data": [{"b64_json": PNG}], "usage": usage})])
    assert [one.media_type for one in result.content] == ["image/png"]
    assert result.units == Units(images=1)
    assert result.usage is not None
    assert (result.usage["prompt_tokens"], result.usage["completion_tokens"]) == (20, 4160)
    assert result.usage["prompt_tokens_details"] == {"image_tokens": 12}
    assert result.usage["completion_tokens_details"] == {"image_tokens": 4160}
    assert SHAPE.read(asked(), ONE, [msgspec.json.encode({"data": [{"b64_json": PNG}]})]).usage == {}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":[]}', b'{"data":[{"b64_json":"!!"}]}', b'{"data":[{"url":"https://x"}]}'])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        SHAPE.read(asked(), ONE, [body])


def test_a_refusal_in_the_body() -> None:
    with pytest.raises(UpstreamRefused) as caught:
        SHAPE.read(asked(), ONE, [b'{"error":{"code":"moderation_blocked","message":"no"}}'])
    assert caught.value.kind == "moderation"
