import io
import wave
from typing import Any

import msgspec
import pytest

from trunkline.mock.call import Asked
from trunkline.mock.operations.audio import RATE, read_speech, read_transcription, speak, transcribe, wav
from trunkline.mock.reply import Reply
from trunkline.mock.script import Answer, Pace

FORM = (
    b'--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    b'--B\r\nContent-Disposition: form-data; name="response_format"\r\n\r\n%b\r\n'
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--B--\r\n'
)


def spoken(form: str, pace: Pace = Pace()) -> Reply:  # noqa: B008
    call = read_speech(Asked(path="/", body={"model": "m", "input": "one two three", "voice": "v", "response_format": form}))
    return speak(call, Answer(), pace, serial=1)


def heard(form: bytes, answer: Answer = Answer()) -> Reply:  # noqa: B008
    call = read_transcription(Asked(path="/", headers={"content-type": "multipart/form-data; boundary=B"}, raw=FORM % form))
    assert call.model == "whisper-1"
    return transcribe(call, answer, Pace(), serial=1)


def test_speech_lasts_as_long_as_its_words() -> None:
    sound = b"".join(part.data for part in spoken("wav").parts)
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE * 3 // 10, RATE, 1, 2)
    assert sound == wav(b"".join(part.data for part in spoken("pcm").parts))


@pytest.mark.parametrize(("form", "media"), [("wav", "audio/wav"), ("pcm", "audio/pcm"), ("mp3", "audio/mpeg"), ("", "audio/mpeg")])
def test_the_format_is_named(form: str, media: str) -> None:
    assert dict(spoken(form).headers)["content-type"] == media


def test_speech_is_paced() -> None:
    waits = [part.wait for part in spoken("pcm", Pace(first_ms=50, event_ms=10)).parts]
    assert waits == [0.05, 0.01, 0.01]


def test_a_transcript_of_a_form() -> None:
    found = msgspec.json.decode(heard(b"json").parts[0].data)
    assert found == {"text": "a.wav of 4 bytes", "usage": {"type": "duration", "seconds": 4}}


def test_forms_of_a_transcript() -> None:
    assert heard(b"text", Answer(text="Hello.")).parts[0].data == b"Hello.\n"
    found = msgspec.json.decode(heard(b"verbose_json", Answer(text="Hello you.", usage_place="never")).parts[0].data)
    assert (found["duration"], found["segments"][0]["text"], "usage" in found) == (2.0, "Hello you.", False)


def test_a_transcript_of_a_json_body() -> None:
    body: dict[str, Any] = {"model": "m", "input_audio": {"data": "AAAA", "format": "wav"}}
    call = read_transcription(Asked(path="/", headers={"content-type": "application/json"}, body=body))
    assert (call.model, call.text) == ("m", "wav of 4 characters")
