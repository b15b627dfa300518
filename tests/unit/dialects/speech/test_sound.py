"""The beginning of a sound."""

import pytest
from pipelines import served

from trunkline.dialects.speech.request import parse
from trunkline.dialects.speech.sound import is_usable, read
from trunkline.errors import MalformedResponse, UpstreamRefused
from trunkline.protocol.usage import Units

MP3 = parse(b'{"model":"a/m","input":"Hello","voice":"v","response_format":"mp3"}')
PCM = parse(b'{"model":"a/m","input":"Hello","voice":"v"}')


FRAME = b"\xff\xfb\x90\x00" + bytes(413)


def test_characters_are_what_is_charged() -> None:
    result = read(MP3, served("one"), [FRAME])
    assert (result.content, result.units, result.usage) == ("audio/mpeg", Units(characters=5), {})
    assert read(PCM, served("one"), [b"\x00\x00"]).content == "audio/pcm"


@pytest.mark.parametrize("first", [b"", b"\x00"])
def test_less_than_a_sample_is_nothing(first: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read(PCM, served("one"), [first])


@pytest.mark.parametrize("first", [b"", b"\xff", b"\xff\xfb", FRAME[:-1], b"ID3\x04"])
def test_less_than_a_frame_is_nothing(first: bytes) -> None:
    """Contract 4.4: what cannot be heard is not charged."""
    assert not is_usable(MP3, first)
    with pytest.raises(MalformedResponse):
        read(MP3, served("one"), [first])


def test_text_is_no_sound() -> None:
    with pytest.raises(UpstreamRefused):
        read(MP3, served("one"), [b'{"error":{"message":"no such voice"}}'])
    with pytest.raises(MalformedResponse):
        read(MP3, served("one"), [b'{"a":1}'])
    with pytest.raises(MalformedResponse):
        read(MP3, served("one"), [b"<html>"])
