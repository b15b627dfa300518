"""Transcription as JSON with base64."""

import base64

import msgspec
from pipelines import served

from trunkline.dialects.transcription.encoded import SHAPE
from trunkline.dialects.transcription.request import parse


def test_the_call_is_json() -> None:
    audio = {"data": base64.b64encode(b"sound").decode(), "format": "wav"}
    (sending,) = SHAPE.send(parse(msgspec.json.encode({"model": "a/m", "input_audio": audio, "language": "en"})), served("one"))
    assert sending.content_type == "application/json"
    assert msgspec.json.decode(sending.body) == {"model": "m", "input_audio": audio, "language": "en"}


def test_its_answer_is_openais() -> None:
    asked = parse(msgspec.json.encode({"model": "a/m", "input_audio": {"data": "AAAA", "format": "wav"}}))
    result = SHAPE.read(asked, served("one"), [b'{"text":"hi","usage":{"seconds":9.2,"input_tokens":83,"output_tokens":30,"cost":0.0005}}'])
    assert result.units.milliseconds == 9200
    assert result.usage is not None and (result.usage["prompt_tokens"], result.usage["cost"]) == (83, 0.0005)
