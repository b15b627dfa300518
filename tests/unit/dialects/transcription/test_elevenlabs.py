"""ElevenLabs' form of transcription."""

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.forms import read_form
from trunkline.dialects.transcription.elevenlabs import SHAPE
from trunkline.dialects.transcription.request import parse
from trunkline.errors import ApiError

ONE = served("one")


def asked(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", "input_audio": {"data": "AAAA", "format": "mp3"}, **fields}))


def test_the_call() -> None:
    (sending,) = SHAPE.send(asked(language="en"), ONE)
    assert sending.url == "http://one.test/v1/speech-to-text"
    assert [(one.name, one.value) for one in read_form(sending.body)] == [
        ("model_id", b"m"),
        ("language_code", b"en"),
        ("file", b"\x00\x00\x00"),
    ]


def test_it_gives_no_verbose_answer() -> None:
    with pytest.raises(ApiError, match=r"^response_format:"):
        SHAPE.send(asked(response_format="verbose_json"), ONE)


def test_an_answer() -> None:
    body = b'{"language_code":"en","text":"hi","words":[],"transcription_id":"t1","audio_duration_secs":3.5}'
    result = SHAPE.read(asked(), ONE, [body])
    assert (result.content["text"], result.units.milliseconds, result.id, result.usage) == ("hi", 3500, "t1", {})
