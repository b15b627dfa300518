"""OpenAI's form of transcription."""

import base64

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.forms import read_form
from trunkline.dialects.transcription.chat import SHAPE
from trunkline.dialects.transcription.request import parse
from trunkline.errors import MalformedResponse
from trunkline.protocol.quirks import OperationQuirks, Quirks
from trunkline.protocol.usage import Units

ONE = served("one")


def asked(**fields: object):  # type: ignore[no-untyped-def]
    return parse(
        msgspec.json.encode({"model": "a/m", "input_audio": {"data": base64.b64encode(b"sound").decode(), "format": "wav"}, **fields})
    )


def test_the_call_is_a_form() -> None:
    (sending,) = SHAPE.send(asked(language="en", response_format="verbose_json", timestamp_granularities=["word", "segment"]), ONE)
    assert sending.url == "http://one.test/v1/audio/transcriptions"
    assert sending.content_type.startswith("multipart/form-data; boundary=")
    fields = [(one.name, one.value, one.filename) for one in read_form(sending.body)]
    assert fields == [
        ("model", b"m", None),
        ("language", b"en", None),
        ("response_format", b"verbose_json", None),
        ("timestamp_granularities[]", b"word", None),
        ("timestamp_granularities[]", b"segment", None),
        ("file", b"sound", "audio.wav"),
    ]


def test_what_an_endpoint_always_sets_wins() -> None:
    verbose = OperationQuirks(set={"response_format": "verbose_json"})
    (sending,) = SHAPE.send(asked(), served("one", quirks=Quirks(operations={"transcription": verbose})))
    sent = {one.name: one.value for one in read_form(sending.body)}
    assert sent["response_format"] == b"verbose_json"


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ({"usage": {"type": "duration", "seconds": 4}}, 4000),
        ({"usage": {"prompt_audio_seconds": 7, "prompt_tokens": 9}}, 7000),
        ({"duration": 2.5}, 2500),
        ({}, 1),
    ],
)
def test_the_length_is_read(said: dict[str, object], length: int) -> None:
    result = SHAPE.read(asked(), ONE, [msgspec.json.encode({"text": "hi", **said})])
    assert (result.content["text"], result.units) == ("hi", Units(milliseconds=length))


def test_what_is_no_answer() -> None:
    for body in (b"", b"{}", b"plain text"):
        with pytest.raises(MalformedResponse):
            SHAPE.read(asked(), ONE, [body])
