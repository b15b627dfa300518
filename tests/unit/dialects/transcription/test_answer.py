"""What a transcription says, and its account."""

import base64

import msgspec
import pytest

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.oneshot import Result
from trunkline.dialects.transcription.answer import result_of, write
from trunkline.dialects.transcription.request import parse
from trunkline.errors import MalformedResponse
from trunkline.protocol.usage import Cost, Units, Usage

IDENTITY = Identity("gen-1", "a/m", "One", 5)


def asked(**fields: object):  # type: ignore[no-untyped-def]
    audio = {"data": base64.b64encode(bytes(16_000)).decode(), "format": "mp3"}
    return parse(msgspec.json.encode({"model": "a/m", "input_audio": audio, **fields}))


def test_tokens_or_seconds_as_the_upstream_counts() -> None:
    tokens = {"type": "tokens", "input_tokens": 83, "output_tokens": 30, "input_token_details": {"audio_tokens": 80}}
    result = result_of(asked(), {"text": "hi", "usage": tokens}, None)
    assert result.usage == {
        "prompt_tokens": 83,
        "completion_tokens": 30,
        "prompt_tokens_details": {"audio_tokens": 80},
        "cost": None,
    }
    assert result_of(asked(), {"text": "hi", "usage": {"type": "duration", "seconds": 9}}, 9).units == Units(milliseconds=9000)
    assert result_of(asked(), {"text": "hi"}, None).units == Units(milliseconds=1000)
    assert result_of(asked(), {"text": "hi"}, -5).units == Units(milliseconds=1000)


@pytest.mark.parametrize("said", [{}, {"text": None}, {"text": 3}])
def test_what_is_no_transcript(said: dict[str, object]) -> None:
    with pytest.raises(MalformedResponse):
        result_of(asked(), said, None)


def test_silence_is_an_answer() -> None:
    assert result_of(asked(), {"text": ""}, 1).content == {"text": ""}


def test_the_body_is_short_or_verbose() -> None:
    said = {"text": "hi", "language": "en", "duration": 1.5, "segments": [{"id": 0}], "x": 1}
    result = Result(said, units=Units(milliseconds=1500))
    short = msgspec.json.decode(write(IDENTITY, asked(), result, Usage(), Cost(10**9)))
    assert short == {"text": "hi", "usage": {"cost": 0.001, "seconds": 1.5}}
    long = msgspec.json.decode(write(IDENTITY, asked(response_format="verbose_json"), result, Usage(8, 2), Cost()))
    assert (long["language"], long["segments"], "words" in long, "x" in long) == ("en", [{"id": 0}], False, False)
    assert long["usage"] == {"cost": 0.0, "seconds": 1.5, "input_tokens": 8, "output_tokens": 2, "total_tokens": 10}
