"""What a caller sends to `POST /audio/speech`, checked. Errors are ApiError("invalid_request") that name the field."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from trunkline.dialects.body import read_body
from trunkline.dialects.oneshot import OneShotRequest, quirks_of
from trunkline.dialects.options import OptionsWire, options
from trunkline.dialects.preferences import preferences
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect, Endpoint
from trunkline.protocol.usage import Units

SAMPLE_CHARS = 20 * 1024 * 1024
TRANSCRIPT_CHARS = 10_000
MEDIA_TYPES = {"mp3": "audio/mpeg", "pcm": "audio/pcm"}


class SampleWire(Struct):
    data: Annotated[str, Meta(min_length=1, max_length=SAMPLE_CHARS)]
    format: str | None = None


class ReferenceWire(Struct):
    type: Literal["input_audio", "text"]
    input_audio: SampleWire | None = None
    text: Annotated[str, Meta(max_length=TRANSCRIPT_CHARS)] | None = None


class SpeechWire(Struct):
    model: Annotated[str, Meta(min_length=1)]
    input: Annotated[str, Meta(min_length=1)]
    voice: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    response_format: Literal["mp3", "pcm"] | None = None
    speed: Annotated[float, Meta(gt=0, le=10)] | None = None
    input_references: list[ReferenceWire] | None = None
    provider: OptionsWire | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    session_id: Annotated[str, Meta(max_length=256)] | None = None


class SpeechRequest(OneShotRequest, frozen=True, kw_only=True):
    """One request. `references`: a voice sample and its transcript, as the caller sent them."""

    dialect: Dialect = "chat"
    text: str
    voice: str | None = None
    format: Literal["mp3", "pcm"] = "pcm"
    speed: float | None = None
    references: tuple[Any, ...] = ()

    def voice_at(self, endpoint: Endpoint) -> str:
        """The voice that speaks at an endpoint: the caller's, else its own; "" where it has none."""
        return self.voice or quirks_of(endpoint, "speech").voice


_READ = msgspec.json.Decoder(SpeechWire)


def parse(body: bytes) -> SpeechRequest:
    """Read a request for speech. Raises ApiError("invalid_request") that names the field."""
    raw, wire = read_body(body, _READ)
    return SpeechRequest(
        fields=raw,
        stream=True,
        model=wire.model,
        models=(wire.model,),
        text=wire.input,
        voice=wire.voice,
        format=wire.response_format or "pcm",
        speed=wire.speed,
        references=_references(wire.input_references or []),
        outputs=frozenset(("speech",)),
        expected=Units(characters=len(wire.input)),
        preferences=preferences(wire.provider),
        options=options(wire.provider),
        user=wire.user,
        session_id=wire.session_id,
    )


def fits(request: SpeechRequest, endpoint: Endpoint) -> bool:
    """Whether an endpoint has the voice: one without a voice of its own needs the caller's, and only some can copy one."""
    if request.references:
        return quirks_of(endpoint, "speech").voice_cloning
    return bool(request.voice_at(endpoint))


def _references(wires: list[ReferenceWire]) -> tuple[Any, ...]:
    kinds = [one.type for one in wires]
    for index, one in enumerate(wires):
        if getattr(one, one.type) is None:
            raise ApiError("invalid_request", f"input_references[{index}].{one.type}: A part of type {one.type} needs it")
    if len(set(kinds)) < len(kinds):
        raise ApiError("invalid_request", "input_references: At most one voice sample and one transcript of it")
    if wires and "input_audio" not in kinds:
        raise ApiError("invalid_request", "input_references: A transcript needs its voice sample")
    return tuple([msgspec.to_builtins(one) for one in wires])
