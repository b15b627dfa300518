"""What `POST /audio/transcriptions` takes as JSON and as a form, and which field an error names."""

import base64

import msgspec
import pytest

from trunkline.dialects.forms import Field, write_form
from trunkline.dialects.transcription.request import MAX_FILE, parse
from trunkline.errors import ApiError

AUDIO = base64.b64encode(b"sound").decode()


def read(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", "input_audio": {"data": AUDIO, "format": "mp3"}, **fields}))


def form(*fields: Field, filename: str = "talk.WAV", audio: bytes = b"sound"):  # type: ignore[no-untyped-def]
    return parse(write_form([Field("model", b"a/m"), *fields, Field("file", audio, filename, "audio/wav")])[0])


def test_json() -> None:
    request = read(language="en", temperature=0.5, response_format="verbose_json", timestamp_granularities=["word"])
    assert (request.audio, request.format, request.language, request.temperature) == (b"sound", "mp3", "en", 0.5)
    assert (request.verbose, request.granularities, request.outputs) == (True, ("word",), {"transcription"})
    assert request.expected.milliseconds == 1


def test_a_data_url_is_taken_too() -> None:
    assert read(input_audio={"data": f"data:audio/wav;base64,{AUDIO}", "format": "wav"}).audio == b"sound"


def test_a_form() -> None:
    fields = [
        Field("language", b"de"),
        Field("temperature", b"0.2"),
        Field("prompt", b"ignored"),
        Field("response_format", b"verbose_json"),
        Field("timestamp_granularities[]", b"word"),
        Field("timestamp_granularities[]", b"segment"),
    ]
    request = form(*fields)
    assert (request.model, request.audio, request.format, request.language) == ("a/m", b"sound", "wav", "de")
    assert (request.temperature, request.verbose, request.granularities) == (0.2, True, ("word", "segment"))


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"input_audio": {"data": "!", "format": "mp3"}}, "input_audio.data"),
        ({"input_audio": {"data": AUDIO, "format": "../x"}}, "input_audio.format"),
        ({"input_audio": {"data": "", "format": "mp3"}}, "input_audio.data"),
        ({"response_format": "srt"}, "response_format"),
        ({"timestamp_granularities": ["page"]}, "timestamp_granularities"),
        ({"temperature": 3}, "temperature"),
        ({"model": ""}, "model"),
    ],
)
def test_errors_in_json_name_the_field(fields: dict[str, object], names: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(**fields)
    assert caught.value.status == 400
    assert names in caught.value.message


@pytest.mark.parametrize(
    ("field", "names"),
    [
        (Field("response_format", b"vtt"), "response_format"),
        (Field("temperature", b"warm"), "temperature"),
        (Field("temperature", b"nan"), "temperature"),
        (Field("timestamp_granularities[]", b"page"), "timestamp_granularities"),
    ],
)
def test_errors_in_a_form_name_the_field(field: Field, names: str) -> None:
    with pytest.raises(ApiError) as caught:
        form(field)
    assert caught.value.status == 400
    assert names in caught.value.message


def test_files_have_bounds() -> None:
    with pytest.raises(ApiError) as caught:
        form(audio=bytes(MAX_FILE + 1))
    assert caught.value.status == 413
    for broken in (write_form([Field("model", b"a/m")]), write_form([Field("model", b"a/m"), Field("file", b"text")])):
        with pytest.raises(ApiError, match=r"^file: "):
            parse(broken[0])
    with pytest.raises(ApiError, match=r"^file: "):
        form(filename="noextension.?")
    with pytest.raises(ApiError, match="empty"):
        form(audio=b"")
    with pytest.raises(ApiError, match="model"):
        parse(write_form([Field("file", b"x", "a.wav")])[0])
