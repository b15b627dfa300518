"""OpenAI's `POST /audio/speech` (API reference, "Create speech"), which Groq, DeepInfra and OpenRouter follow."""

import msgspec

from trunkline.dialects.oneshot import Sending, Shape, adapted, address, passed_on
from trunkline.dialects.speech import sound
from trunkline.dialects.speech.request import SpeechRequest
from trunkline.protocol.catalogue import Endpoint


def _send(request: SpeechRequest, endpoint: Endpoint) -> list[Sending]:
    body = {
        **passed_on(request, endpoint, "speech"),
        "model": endpoint.upstream_model,
        "input": request.text,
        "voice": request.voice_at(endpoint) or None,
        "response_format": request.format,
        "speed": request.speed,
        "input_references": list(request.references) or None,
    }
    url = address(endpoint, "speech", "/audio/speech")
    return [Sending(url, msgspec.json.encode(adapted(body, endpoint)), accept="audio/*, application/json")]


SHAPE = Shape(_send, sound.read)
