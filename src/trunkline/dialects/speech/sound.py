"""The beginning of a sound: whether it is one at all."""

from collections.abc import Sequence

from trunkline.dialects.oneshot import Result, document
from trunkline.dialects.speech.frames import is_whole
from trunkline.dialects.speech.request import MEDIA_TYPES, SpeechRequest
from trunkline.errors import MalformedResponse
from trunkline.protocol.catalogue import Endpoint

WHOLE_SAMPLE = 2
"""Bytes of the smallest thing that can be heard: one sample of 16 bits."""


def is_usable(request: SpeechRequest, first: bytes) -> bool:
    """Whether so much of a sound can be heard: a sample of PCM, a frame of MP3 (contract 4.4)."""
    return len(first) >= WHOLE_SAMPLE and (request.format != "mp3" or is_whole(first))


def read(request: SpeechRequest, _endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    """What the first bytes tell: `content` is the media type for the client, and the caller's characters are what is charged. Raises
    UpstreamError for what is no sound."""
    first = bodies[0]
    if first.lstrip()[:2] in (b'{"', b"<!", b"<h") and request.format == "mp3":
        document(first)
        raise MalformedResponse("the answer is not sound", status=200)
    if not is_usable(request, first):
        raise MalformedResponse("the answer holds no sound", status=200)
    return Result(MEDIA_TYPES[request.format], usage={}, units=request.expected)
