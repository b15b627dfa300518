"""ElevenLabs' form of speech."""

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.speech.elevenlabs import SHAPE
from trunkline.dialects.speech.request import parse


@pytest.mark.parametrize(("format", "word"), [("mp3", "mp3_44100_128"), ("pcm", "pcm_24000")])
def test_the_call(format: str, word: str) -> None:
    asked = parse(msgspec.json.encode({"model": "a/m", "input": "Hi", "voice": "a/../b", "response_format": format, "speed": 1.1}))
    (sending,) = SHAPE.send(asked, served("one"))
    assert sending.url == f"http://one.test/v1/text-to-speech/a%2F..%2Fb/stream?output_format={word}"
    assert msgspec.json.decode(sending.body) == {"text": "Hi", "model_id": "m", "voice_settings": {"speed": 1.1}}
