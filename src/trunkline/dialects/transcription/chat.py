"""OpenAI's `POST /audio/transcriptions` (API reference, "Create transcription"): a form with a file. Groq, Mistral, DeepInfra and vLLM
follow it. What is in `set` wins, since some tell the length of the sound, by which they charge, in a verbose answer only."""

from collections.abc import Sequence
from typing import Any

from trunkline.dialects.forms import Field, write_form
from trunkline.dialects.oneshot import Result, Sending, Shape, adapted, address, document, passed_on
from trunkline.dialects.transcription.answer import result_of
from trunkline.dialects.transcription.request import TranscriptionRequest
from trunkline.protocol.catalogue import Endpoint


def _send(request: TranscriptionRequest, endpoint: Endpoint) -> list[Sending]:
    given = {
        "model": endpoint.upstream_model,
        "language": request.language,
        "temperature": request.temperature,
        "response_format": "verbose_json" if request.verbose else "json",
        **passed_on(request, endpoint, "transcription"),
    }
    fields = [Field(name, str(value).encode()) for name, value in adapted(given, endpoint).items()]
    if request.verbose:
        fields += [Field("timestamp_granularities[]", one.encode()) for one in request.granularities]
    fields.append(Field("file", request.audio, f"audio.{request.format}", f"audio/{request.format}"))
    body, content_type = write_form(fields)
    return [Sending(address(endpoint, "transcription", "/audio/transcriptions"), body, content_type)]


def read(request: TranscriptionRequest, _endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    """What was heard. The length is told by `usage` (Mistral: `prompt_audio_seconds`) or, in a verbose answer, by `duration`."""
    said: dict[str, Any] = document(bodies[0])
    usage = said.get("usage")
    seconds = usage.get("seconds", usage.get("prompt_audio_seconds")) if isinstance(usage, dict) else None
    return result_of(request, said, said.get("duration") if seconds is None else seconds)


SHAPE = Shape(_send, read)
