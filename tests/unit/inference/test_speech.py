"""Speech: passed through, charged by characters, whole or not at all."""

import pytest
from oneshots import OneShotBench, body, offering
from pipelines import served

from trunkline.errors import ConnectFailed, ConnectionLost
from trunkline.inference.operations import SPEECH
from trunkline.protocol.catalogue import Pricing
from trunkline.transport.fake import FakeReply

PRICE = Pricing(prompt=15 * 10**6)
"""$15 per million characters."""
FRAME = b"\xff\xfb\x90\x00" + bytes(413)
"""The smallest MP3 that can be heard."""


def sound(*steps: object, media: str = "audio/mpeg") -> FakeReply:
    return FakeReply(200, {"content-type": media}, steps)  # type: ignore[arg-type]


def one(**changes: object):  # type: ignore[no-untyped-def]
    return offering("one", "speech", pricing=PRICE, **changes)


def test_sound_is_passed_through_and_charged_by_its_characters() -> None:
    bench = OneShotBench(SPEECH, [one()], sound(FRAME, b"more", b"end"))
    outcome = bench.request(input="Hello", voice="alloy", response_format="mp3")
    assert (outcome.status, outcome.body, outcome.ended) == (200, FRAME + b"moreend", True)
    assert outcome.headers[b"content-type"] == b"audio/mpeg"
    assert b"x-accel-buffering" not in outcome.headers
    record = bench.record
    assert (record.api_type, record.cost, record.streamed, record.input_tokens) == ("tts", 5 * 15 * 10**6, True, 0)
    assert bench.ledgers.settled == [5 * 15 * 10**6]


def test_pcm_is_the_default() -> None:
    bench = OneShotBench(SPEECH, [one()], sound(b"\x00", b"\x01", media="audio/pcm"))
    outcome = bench.request(input="Hello", voice="alloy")
    assert (outcome.body, outcome.headers[b"content-type"]) == (b"\x00\x01", b"audio/pcm")
    assert bench.sent()["response_format"] == "pcm"


@pytest.mark.parametrize(
    "reply",
    [
        ConnectFailed("refused"),
        body({"error": {"message": "boom"}}, status=500),
        sound(),
        sound(b"\x00"),
        sound(FRAME[:-1]),
        sound(b"ID3\x04", ConnectionLost("cut", status=200)),
        body({"error": {"message": "no"}}),
        sound(ConnectionLost("cut", status=200)),
    ],
)
def test_another_endpoint_steps_in_before_the_first_sample(reply: object) -> None:
    bench = OneShotBench(SPEECH, [one(), offering("two", "speech", pricing=PRICE)], reply, sound(FRAME))  # type: ignore[arg-type]
    outcome = bench.request(input="Hello", voice="alloy", response_format="mp3", provider={"order": ["one", "two"]})
    assert outcome.body == FRAME
    assert bench.record.provider_name == "Two"
    assert bench.record.cost == 5 * 15 * 10**6


def test_a_sound_that_breaks_off_costs_nothing_and_never_looks_whole() -> None:
    bench = OneShotBench(SPEECH, [one()], sound(FRAME, ConnectionLost("cut", status=200)))
    with pytest.raises(ConnectionLost):
        bench.request(input="Hello", voice="alloy", response_format="mp3")
    assert (bench.record.cost, bench.record.finish_reason, bench.record.status) == (0, "error", 502)
    assert bench.ledgers.settled == [0]


def test_a_voice_that_nobody_has_is_not_found() -> None:
    bench = OneShotBench(SPEECH, [one()])
    outcome = bench.request(input="Hello")
    assert outcome.error is not None and outcome.error.status == 404


def test_a_default_voice_serves_who_names_none() -> None:
    bench = OneShotBench(SPEECH, [one(), offering("two", "speech", quirks={"voice": "aria", "shape": "elevenlabs"})], sound(FRAME))
    bench.request(input="Hello", response_format="mp3")
    assert bench.url() == "http://two.test/v1/text-to-speech/aria/stream?output_format=mp3_44100_128"


def test_a_model_of_another_kind_has_another_operation() -> None:
    outcome = OneShotBench(SPEECH, [served("one")], outputs=["text"]).request(input="Hello", voice="alloy")
    assert outcome.error is not None and outcome.error.availability is not None
    assert outcome.error.availability["code"] == "wrong_endpoint"
