"""Images as they are made."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.images.stream import DONE, ImageEncoder, ImageStream, failure
from trunkline.errors import ApiError, MalformedResponse, UpstreamRefused
from trunkline.protocol.usage import Cost, Units, Usage

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
IDENTITY = Identity("gen-1", "a/m", "One", 5)
USAGE = {"input_tokens": 3, "output_tokens": 9}


def event(kind: str, **more: object) -> bytes:
    return msgspec.json.encode({"type": f"image_generation.{kind}", "b64_json": PNG, **more})


def said(data: bytes) -> list[dict[str, object]]:
    return [msgspec.json.decode(part[6:]) for part in data.split(b"\n\n") if part.startswith(b"data: {")]


def test_a_partial_image_goes_out_and_the_finished_one_waits_for_its_cost() -> None:
    stream = ImageStream(IDENTITY, 1)
    assert said(stream.feed([event("partial_image", partial_image_index=1, size="x")])) == [
        {"type": "image_generation.partial_image", "partial_image_index": 1, "b64_json": PNG}
    ]
    assert stream.committed and not stream.done and stream.finish_reason is None
    assert stream.feed([event("completed", usage=USAGE), b"[DONE]"]) == b""
    assert (stream.done, stream.finish_reason, stream.units) == (True, "stop", Units(images=1))
    assert stream.usage is not None and stream.usage["completion_tokens"] == 9
    end = stream.finish(Usage(3, 9), Cost(10**9))
    (completed,) = said(end)
    assert end.endswith(DONE)
    assert (completed["type"], completed["b64_json"], completed["media_type"], completed["created"]) == (
        "image_generation.completed",
        PNG,
        "image/png",
        5,
    )
    assert completed["usage"]["cost"] == 0.001  # type: ignore[index]


def test_edits_have_the_same_events() -> None:
    stream = ImageStream(IDENTITY, 1)
    stream.feed([msgspec.json.encode({"type": "image_edit.completed", "b64_json": PNG})])
    assert stream.done and stream.usage == {}


def test_several_images_end_together() -> None:
    stream = ImageStream(IDENTITY, 2)
    stream.feed([event("completed")])
    assert not stream.done
    stream.feed([event("completed")])
    first, last = said(stream.finish(Usage(), Cost()))
    assert "usage" not in first and "usage" in last


@pytest.mark.parametrize("payload", [b"", b"garbage", b"[]", event("completed", b64_json="!!"), event("partial_image", b64_json=None)])
def test_garbage_is_a_failure(payload: bytes) -> None:
    stream = ImageStream(IDENTITY, 1)
    assert stream.feed([payload, event("completed")]) == b""
    assert isinstance(stream.error, MalformedResponse) and not stream.done


def test_an_error_event_is_the_upstreams_refusal() -> None:
    stream = ImageStream(IDENTITY, 1)
    stream.feed([b'{"type":"error","error":{"code":"moderation_blocked","message":"no"}}'])
    assert isinstance(stream.error, UpstreamRefused) and stream.error.kind == "moderation"


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_nothing_an_upstream_sends_raises(payloads: list[bytes]) -> None:
    ImageStream(IDENTITY, 1).feed(payloads)


def test_a_whole_body_in_place_of_a_stream() -> None:
    stream = ImageStream(IDENTITY, 2)
    stream.unstreamed(msgspec.json.encode({"data": [{"b64_json": PNG}], "usage": USAGE}))
    assert (stream.done, stream.committed, stream.units, stream.end()) == (True, True, Units(images=1), b"")
    broken = ImageStream(IDENTITY, 1)
    broken.unstreamed(b"{}")
    assert isinstance(broken.error, MalformedResponse)


def test_failures_are_told_in_the_stream() -> None:
    error = ApiError("provider_unavailable", "One: broke off")
    told = failure(error)
    assert told == ImageStream(IDENTITY, 1).fail(error) == ImageEncoder(IDENTITY, None).fail(error)
    assert said(told) == [{"type": "error", "error": {"message": "One: broke off", "code": "502", "type": "provider_unavailable"}}]
    assert told.endswith(DONE)
