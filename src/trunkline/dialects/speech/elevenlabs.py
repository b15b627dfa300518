"""ElevenLabs' `POST /v1/text-to-speech/{voice_id}/stream` (API reference, "Stream speech")."""

from typing import Final
from urllib.parse import quote

import msgspec

from trunkline.dialects.oneshot import Sending, Shape, adapted, address, passed_on
from trunkline.dialects.speech import sound
from trunkline.dialects.speech.request import SpeechRequest
from trunkline.protocol.catalogue import Endpoint

FORMATS: Final = {"mp3": "mp3_44100_128", "pcm": "pcm_24000"}
"""Its words for our formats; 24 kHz is what OpenAI's PCM has."""


def _send(request: SpeechRequest, endpoint: Endpoint) -> list[Sending]:
    voice = quote(request.voice_at(endpoint), safe="")
    body: dict[str, object] = {
        **passed_on(request, endpoint, "speech"),
        "text": request.text,
        "model_id": endpoint.upstream_model,
        "voice_settings": None if request.speed is None else {"speed": request.speed},
    }
    url = address(endpoint, "speech", f"/text-to-speech/{voice}/stream") + f"?output_format={FORMATS[request.format]}"
    return [Sending(url, msgspec.json.encode(adapted(body, endpoint)), accept="audio/*, application/json")]


SHAPE = Shape(_send, sound.read)
