"""`POST /audio/transcriptions` as JSON with base64 (contract 5.8), for upstreams that speak OpenRouter's own API."""

import base64

import msgspec

from trunkline.dialects.oneshot import Sending, Shape, adapted, address
from trunkline.dialects.transcription.chat import read
from trunkline.dialects.transcription.request import TranscriptionRequest
from trunkline.protocol.catalogue import Endpoint


def _send(request: TranscriptionRequest, endpoint: Endpoint) -> list[Sending]:
    body = {
        "model": endpoint.upstream_model,
        "input_audio": {"data": base64.b64encode(request.audio).decode(), "format": request.format},
        "language": request.language,
        "temperature": request.temperature,
        "response_format": "verbose_json" if request.verbose else None,
        "timestamp_granularities": list(request.granularities) or None,
    }
    url = address(endpoint, "transcription", "/audio/transcriptions")
    return [Sending(url, msgspec.json.encode(adapted(body, endpoint)))]


SHAPE = Shape(_send, read)
