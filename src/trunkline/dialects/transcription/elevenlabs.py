"""ElevenLabs' `POST /v1/speech-to-text` (API reference, "Create transcript")."""

from collections.abc import Sequence
from typing import Any

from trunkline.dialects.forms import Field, write_form
from trunkline.dialects.oneshot import Result, Sending, Shape, adapted, address, document, passed_on
from trunkline.dialects.transcription.answer import result_of
from trunkline.dialects.transcription.request import TranscriptionRequest
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint


def _send(request: TranscriptionRequest, endpoint: Endpoint) -> list[Sending]:
    if request.verbose:
        raise ApiError("invalid_request", "response_format: This model's provider gives json only")
    given = {
        **passed_on(request, endpoint, "transcription"),
        "model_id": endpoint.upstream_model,
        "language_code": request.language,
        "temperature": request.temperature,
    }
    fields = [Field(name, str(value).encode()) for name, value in adapted(given, endpoint).items()]
    fields.append(Field("file", request.audio, f"audio.{request.format}", f"audio/{request.format}"))
    body, content_type = write_form(fields)
    return [Sending(address(endpoint, "transcription", "/speech-to-text"), body, content_type)]


def _read(request: TranscriptionRequest, _endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    said: dict[str, Any] = document(bodies[0])
    return result_of(request, said, said.get("audio_duration_secs"), said.get("transcription_id"))


SHAPE = Shape(_send, _read)
