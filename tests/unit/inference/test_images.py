"""Images: whole bodies, events, and neither for nothing."""

import base64

import msgspec
import pytest
from oneshots import OneShotBench, body, offering
from pipelines import STREAM_HEADERS, served

from trunkline.errors import ConnectionLost
from trunkline.inference.operations import IMAGES
from trunkline.protocol.catalogue import Pricing
from trunkline.transport.fake import FakeReply

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
PRICE = Pricing(prompt=5, image=7, image_output=40)
USAGE = {"input_tokens": 20, "output_tokens": 100, "input_tokens_details": {"image_tokens": 4}}


def made(*images: str, **more: object) -> FakeReply:
    return body({"created": 1, "data": [{"b64_json": one} for one in images], **more})


def event(kind: str, **more: object) -> bytes:
    return b"data: " + msgspec.json.encode({"type": f"image_generation.{kind}", "b64_json": PNG, **more}) + b"\n\n"


def events(*steps: object) -> FakeReply:
    return FakeReply(200, STREAM_HEADERS, steps)  # type: ignore[arg-type]


def one(tag: str = "one", **quirks: object):  # type: ignore[no-untyped-def]
    return offering(tag, "images", pricing=PRICE, quirks=dict(quirks) or None)


def test_an_image_is_charged_by_its_tokens() -> None:
    bench = OneShotBench(IMAGES, [one()], made(PNG, usage=USAGE))
    said = bench.request(prompt="a cat").json
    cost = 16 * 5 + 4 * 7 + 100 * 40
    assert said["data"] == [{"b64_json": PNG, "media_type": "image/png"}]
    assert (bench.record.cost, bench.record.api_type, bench.record.image_tokens) == (cost, "image", 100)
    assert said["usage"]["cost"] == cost / 10**12


def test_or_by_the_image() -> None:
    bench = OneShotBench(IMAGES, [one(per_unit=True)], made(PNG, PNG))
    bench.request(prompt="a cat", n=2)
    assert bench.record.cost == 2 * 40


@pytest.mark.parametrize(
    "reply", [made("!!"), made(), body(b"nonsense"), body({"data": [{"url": "http://127.0.0.1/y.png"}]}), made(PNG, "=")]
)
def test_what_does_not_decode_is_a_502_and_free(reply: FakeReply) -> None:
    bench = OneShotBench(IMAGES, [one()], reply)
    outcome = bench.request(prompt="a cat")
    assert outcome.error is not None and outcome.error.status == 502
    assert (bench.record.cost, bench.ledgers.settled) == (0, [0])


def test_an_image_that_comes_as_a_url_is_loaded() -> None:
    picture = FakeReply(200, {"content-type": "image/png"}, [base64.b64decode(PNG)])
    bench = OneShotBench(IMAGES, [one()], body({"data": [{"url": "https://cdn.test/y.png"}], "usage": USAGE}), picture)
    assert bench.request(prompt="a cat").json["data"] == [{"b64_json": PNG, "media_type": "image/png"}]
    assert bench.url(1) == "https://cdn.test/y.png"


def test_reference_images_are_loaded() -> None:
    picture = FakeReply(200, {"content-type": "image/png"}, [base64.b64decode(PNG)])
    bench = OneShotBench(IMAGES, [one()], picture, made(PNG))
    reference = {"type": "image_url", "image_url": {"url": "https://cdn.test/y.png"}}
    assert bench.request(prompt="a cat", input_references=[reference]).status == 200
    assert bench.url(1) == "http://one.test/v1/images/edits"
    assert base64.b64decode(PNG) in bench.client.sent[1].body


@pytest.mark.parametrize(
    ("url", "reply", "error_type"),
    [
        ("http://127.0.0.1/y.png", None, "image_download_failed"),
        ("https://cdn.test/y.png", body({}, status=404), "image_download_failed"),
        ("https://cdn.test/y.png", body({"not": "an image"}), "unsupported_image_format"),
    ],
)
def test_references_that_cannot_be_had(url: str, reply: FakeReply | None, error_type: str) -> None:
    bench = OneShotBench(IMAGES, [one()], *[] if reply is None else [reply])
    outcome = bench.request(prompt="a cat", input_references=[{"type": "image_url", "image_url": {"url": url}}])
    assert outcome.error is not None and (outcome.error.status, outcome.error.error_type) == (400, error_type)
    assert bench.record.cost == 0


def test_partial_images_and_the_finished_one() -> None:
    upstream = events(event("partial_image", partial_image_index=0), event("completed", usage=USAGE))
    bench = OneShotBench(IMAGES, [one(stream=True)], upstream)
    outcome = bench.request(prompt="a cat", stream=True)
    partial, completed = outcome.events
    assert (partial["type"], completed["type"]) == ("image_generation.partial_image", "image_generation.completed")
    assert completed["usage"]["cost"] == bench.record.cost / 10**12 > 0
    assert outcome.body.endswith(b"data: [DONE]\n\n")
    assert (bench.record.streamed, bench.record.status) == (True, 200)
    assert bench.sent()["stream"] is True


def test_who_wants_events_gets_an_endpoint_that_sends_them() -> None:
    bench = OneShotBench(IMAGES, [one(), one("two", stream=True)], events(event("completed")))
    bench.request(prompt="a cat", stream=True)
    assert bench.record.provider_name == "Two"


def test_or_one_body_where_there_is_none() -> None:
    bench = OneShotBench(IMAGES, [one()], made(PNG, usage=USAGE))
    outcome = bench.request(prompt="a cat", stream=True)
    assert outcome.headers[b"content-type"] == b"application/json"
    assert outcome.json["data"][0]["b64_json"] == PNG


def test_a_whole_body_in_place_of_events() -> None:
    bench = OneShotBench(IMAGES, [one(stream=True)], made(PNG, usage=USAGE))
    outcome = bench.request(prompt="a cat", stream=True)
    (completed,) = outcome.events
    assert completed["b64_json"] == PNG and bench.record.cost > 0


@pytest.mark.parametrize(
    "first",
    [
        events(b": ping\n\n", ConnectionLost("cut", status=200)),
        events(),
        events(b'data: {"type":"error","error":{"message":"boom"}}\n\n'),
        events(event("partial_image", b64_json="!!")),
        body({"error": {"message": "boom"}}, status=503),
    ],
)
def test_another_endpoint_steps_in_before_anything_is_shown(first: FakeReply) -> None:
    bench = OneShotBench(IMAGES, [one(stream=True), one("two", stream=True)], first, events(event("completed")))
    outcome = bench.request(prompt="a cat", stream=True, provider={"order": ["one", "two"]})
    assert outcome.events[-1]["type"] == "image_generation.completed"
    assert bench.record.provider_name == "Two"


@pytest.mark.parametrize("end", [ConnectionLost("cut", status=200), b'data: {"type":"error","error":{"message":"boom"}}\n\n'])
def test_a_stream_that_breaks_off_says_so_and_is_free(end: object) -> None:
    bench = OneShotBench(IMAGES, [one(stream=True)], events(event("partial_image", partial_image_index=0), end))
    outcome = bench.request(prompt="a cat", stream=True)
    assert [one["type"] for one in outcome.events] == ["image_generation.partial_image", "error"]
    assert outcome.body.endswith(b"data: [DONE]\n\n")
    assert (bench.record.cost, bench.record.finish_reason, bench.ledgers.settled) == (0, "error", [0])


def test_a_client_that_leaves_pays_nothing_for_half_an_image() -> None:
    shows = one(stream=True)
    bench = OneShotBench(IMAGES, [msgspec.structs.replace(shows, on_cancel="stops")], events(event("partial_image"), 3600.0))
    bench.request(prompt="a cat", stream=True, leave=0.05)
    assert (bench.record.cost, bench.record.cancelled, bench.record.status) == (0, True, 499)


def test_a_model_that_only_talks_has_another_operation() -> None:
    outcome = OneShotBench(IMAGES, [served("one")], outputs=["text"]).request(prompt="a cat")
    assert outcome.error is not None and outcome.error.availability is not None
    assert outcome.error.availability["code"] == "wrong_endpoint"
