"""What `POST /audio/speech` takes, and which field an error names."""

import msgspec
import pytest
from oneshots import offering
from pipelines import served

from trunkline.dialects.speech.request import SAMPLE_CHARS, fits, parse
from trunkline.errors import ApiError
from trunkline.protocol.usage import Units

SAMPLE = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
TRANSCRIPT = {"type": "text", "text": "hello"}


def read(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", "input": "hé", **fields}))


def test_defaults() -> None:
    request = read()
    assert (request.format, request.voice, request.speed, request.stream) == ("pcm", None, None, True)
    assert (request.expected, request.outputs) == (Units(characters=2), {"speech"})


def test_a_voice_is_needed_somewhere() -> None:
    with_own = offering("one", "speech", quirks={"voice": "alloy"})
    assert fits(read(voice="echo"), served("one")) and fits(read(), with_own)
    assert not fits(read(), served("one"))
    assert (read(voice="echo").voice_at(with_own), read().voice_at(with_own)) == ("echo", "alloy")


def test_only_some_copy_a_voice() -> None:
    request = read(input_references=[SAMPLE, TRANSCRIPT])
    assert not fits(request, offering("one", "speech", quirks={"voice": "alloy"}))
    assert fits(request, offering("one", "speech", quirks={"voice_cloning": True}))
    assert request.references[0]["input_audio"]["data"] == "AAAA"


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"input": ""}, "input"),
        ({"voice": ""}, "voice"),
        ({"response_format": "ogg"}, "response_format"),
        ({"speed": 0}, "speed"),
        ({"input_references": [SAMPLE, SAMPLE]}, "input_references"),
        ({"input_references": [TRANSCRIPT]}, "input_references"),
        ({"input_references": [{"type": "text"}]}, "input_references[0].text"),
        ({"input_references": [{"type": "input_audio", "input_audio": {"data": "A" * (SAMPLE_CHARS + 1)}}]}, "input_references"),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], names: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(**fields)
    assert caught.value.status == 400
    assert names in caught.value.message
