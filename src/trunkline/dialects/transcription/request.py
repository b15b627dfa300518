"""What a caller sends to `POST /audio/transcriptions`, checked: JSON with base64, or OpenAI's form with a file. Errors are ApiError that
name the field."""

import base64
import binascii
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from trunkline.dialects.body import read_body
from trunkline.dialects.forms import Field, is_form, read_form
from trunkline.dialects.media import split_data_url
from trunkline.dialects.oneshot import OneShotRequest
from trunkline.dialects.options import OptionsWire, options
from trunkline.dialects.preferences import preferences
from trunkline.dialects.transcription.duration import milliseconds
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.usage import Units

MAX_FILE = 25 * 1024 * 1024
"""Bytes of a file in a form (contract 5.8)."""
_FORMAT: Final = re.compile(r"[a-z0-9]{1,8}")
_FORM_TEXT: Final = ("model", "language", "response_format")

Granularity = Literal["word", "segment"]


class AudioWire(Struct):
    data: Annotated[str, Meta(min_length=1)]
    format: Annotated[str, Meta(min_length=1)]


class TranscriptionWire(Struct):
    model: Annotated[str, Meta(min_length=1)]
    input_audio: AudioWire
    language: Annotated[str, Meta(max_length=64)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    response_format: Literal["json", "verbose_json"] | None = None
    timestamp_granularities: list[Granularity] | None = None
    provider: OptionsWire | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    session_id: Annotated[str, Meta(max_length=256)] | None = None


class SettingsWire(Struct):
    """What a form says beside its file."""

    model: Annotated[str, Meta(min_length=1)]
    language: Annotated[str, Meta(max_length=64)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    response_format: Literal["json", "verbose_json"] | None = None
    timestamp_granularities: list[Granularity] | None = None


class TranscriptionRequest(OneShotRequest, frozen=True, kw_only=True):
    """One request. `format` is the file name extension of the sound."""

    dialect: Dialect = "chat"
    audio: bytes
    format: str
    language: str | None = None
    temperature: float | None = None
    verbose: bool = False
    granularities: tuple[Granularity, ...] = ()


_READ = msgspec.json.Decoder(TranscriptionWire)


def parse(body: bytes) -> TranscriptionRequest:
    """Read a request to transcribe. Raises ApiError: 413 for a file that is too large, else "invalid_request"."""
    return _from_form(read_form(body)) if is_form(body) else _from_json(body)


def _from_json(body: bytes) -> TranscriptionRequest:
    _raw, wire = read_body(body, _READ)
    given = wire.input_audio
    split = split_data_url(given.data)
    try:
        audio = base64.b64decode(given.data if split is None else split[1], validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("invalid_request", "input_audio.data: Expected base64") from None
    return _build(
        wire,
        audio,
        _format(given.format, "input_audio.format"),
        preferences=preferences(wire.provider),
        options=options(wire.provider),
        user=wire.user,
        session_id=wire.session_id,
    )


def _from_form(fields: list[Field]) -> TranscriptionRequest:
    file = next((one for one in fields if one.name == "file"), None)
    if file is None or file.filename is None:
        raise ApiError("invalid_request", "file: Expected a file")
    if len(file.value) > MAX_FILE:
        raise ApiError("payload_too_large", f"file: The file is larger than {MAX_FILE >> 20} MB; send it as input_audio in JSON")
    settings: dict[str, Any] = {one.name: one.text for one in fields if one.name in _FORM_TEXT}
    temperature = next((one.text for one in fields if one.name == "temperature"), None)
    if temperature is not None:
        settings["temperature"] = _number(temperature)
    settings["timestamp_granularities"] = [one.text for one in fields if one.name.removesuffix("[]") == "timestamp_granularities"]
    extension = file.filename.rpartition(".")[2]
    return _build(_checked(settings), file.value, _format(extension, "file"))


def _checked(settings: Mapping[str, Any]) -> SettingsWire:
    return read_body(msgspec.json.encode(settings), msgspec.json.Decoder(SettingsWire))[1]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ApiError("invalid_request", "temperature: Expected a number")
    return number


def _format(text: str, where: str) -> str:
    found = text.lower().removeprefix("audio/")
    if not _FORMAT.fullmatch(found):
        raise ApiError("invalid_request", f"{where}: The format of the sound is not known; name it, such as wav or mp3")
    return found


def _build(wire: TranscriptionWire | SettingsWire, audio: bytes, format: str, **more: Any) -> TranscriptionRequest:
    if not audio:
        raise ApiError("invalid_request", "The sound is empty")
    return TranscriptionRequest(
        fields={},
        model=wire.model,
        models=(wire.model,),
        audio=audio,
        format=format,
        language=wire.language or None,
        temperature=wire.temperature,
        verbose=wire.response_format == "verbose_json",
        granularities=tuple(wire.timestamp_granularities or ()),
        outputs=frozenset(("transcription",)),
        expected=Units(milliseconds=milliseconds(audio)),
        **more,
    )
