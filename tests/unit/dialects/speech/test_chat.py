"""OpenAI's form of speech."""

import msgspec
from oneshots import offering

from trunkline.dialects.speech.chat import SHAPE
from trunkline.dialects.speech.request import parse


def test_the_call() -> None:
    one = offering("one", "speech", quirks={"voice": "alloy", "passthrough": ("instructions",)})
    asked = parse(
        b'{"model":"a/m","input":"Hi","response_format":"mp3","speed":1.5,"provider":{"options":{"one":{"instructions":"calm","x":1}}}}'
    )
    (sending,) = SHAPE.send(asked, one)
    assert sending.url == "http://one.test/v1/audio/speech"
    assert msgspec.json.decode(sending.body) == {
        "instructions": "calm",
        "model": "m",
        "input": "Hi",
        "voice": "alloy",
        "response_format": "mp3",
        "speed": 1.5,
    }


def test_a_voice_sample_goes_as_it_came() -> None:
    part = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    asked = parse(msgspec.json.encode({"model": "a/m", "input": "Hi", "input_references": [part]}))
    body = msgspec.json.decode(SHAPE.send(asked, offering("one", "speech", quirks={"voice_cloning": True}))[0].body)
    assert body["input_references"][0]["input_audio"] == {"data": "AAAA", "format": "wav"}
    assert "voice" not in body
