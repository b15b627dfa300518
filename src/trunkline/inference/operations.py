"""The operations beside chat, as data: how a request is read, in which forms upstreams offer it, and how an answer is written.

A form is named by a dialect, or by `shape` in the quirks of an endpoint (`protocol.quirks.OperationQuirks`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from trunkline.dialects.chat import envelope
from trunkline.dialects.chat.encoder import ChatEncoder
from trunkline.dialects.embeddings import answer as embeddings_answer
from trunkline.dialects.embeddings import chat as embeddings_chat
from trunkline.dialects.embeddings import cohere as embeddings_cohere
from trunkline.dialects.embeddings import gemini as embeddings_gemini
from trunkline.dialects.embeddings import request as embeddings_request
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.images import answer as images_answer
from trunkline.dialects.images import generations as images_generations
from trunkline.dialects.images import request as images_request
from trunkline.dialects.images.stream import ImageEncoder
from trunkline.dialects.rerank import answer as rerank_answer
from trunkline.dialects.rerank import chat as rerank_chat
from trunkline.dialects.rerank import cohere as rerank_cohere
from trunkline.dialects.rerank import request as rerank_request
from trunkline.dialects.speech import chat as speech_chat
from trunkline.dialects.speech import elevenlabs as speech_elevenlabs
from trunkline.dialects.speech import request as speech_request
from trunkline.dialects.transcription import answer as transcription_answer
from trunkline.dialects.transcription import chat as transcription_chat
from trunkline.dialects.transcription import elevenlabs as transcription_elevenlabs
from trunkline.dialects.transcription import encoded as transcription_encoded
from trunkline.dialects.transcription import request as transcription_request
from trunkline.inference import pictures
from trunkline.inference.images import Images
from trunkline.inference.oneshot import OneShot, Operation, no_body
from trunkline.inference.skins import Skin
from trunkline.inference.speech import Speech
from trunkline.protocol.request import InboundRequest


def nothing_said(_request: Any) -> Conversation:
    """The request as a conversation: operations are none, so that there is nothing to repair in one."""
    return Conversation(turns=())


def skin(api_type: str, parse: Callable[[bytes], InboundRequest], encoder: Callable[..., Any] = ChatEncoder) -> Skin:
    """The client side of an operation. Errors look as those of chat do; `encoder` ends a stream that went wrong before it had begun."""
    return Skin("chat", parse, envelope.render, nothing_said, encoder, api_type)


EMBEDDINGS: Final = Operation(
    "embeddings",
    skin("embeddings", embeddings_request.parse),
    {"chat": embeddings_chat.SHAPE, "cohere": embeddings_cohere.SHAPE, "gemini": embeddings_gemini.SHAPE},
    embeddings_answer.write,
)
RERANK: Final = Operation(
    "rerank",
    skin("rerank", rerank_request.parse),
    {"chat": rerank_chat.SHAPE, "cohere": rerank_cohere.SHAPE},
    rerank_answer.write,
)
SPEECH: Final = Operation(
    "speech",
    skin("tts", speech_request.parse),
    {"chat": speech_chat.SHAPE, "elevenlabs": speech_elevenlabs.SHAPE},
    no_body,
    fits=speech_request.fits,
)
TRANSCRIPTION: Final = Operation(
    "transcription",
    skin("stt", transcription_request.parse),
    {"chat": transcription_chat.SHAPE, "encoded": transcription_encoded.SHAPE, "elevenlabs": transcription_elevenlabs.SHAPE},
    transcription_answer.write,
    total_seconds=60.0,
)
IMAGES: Final = Operation(
    "images",
    skin("image", images_request.parse, ImageEncoder),
    {"chat": images_generations.SHAPE, pictures.NAME: pictures.SHAPE},
    images_answer.write,
    form=pictures.form,
)

OPERATIONS: Final[Mapping[str, Operation]] = {
    "/api/v1/audio/speech": SPEECH,
    "/api/v1/audio/transcriptions": TRANSCRIPTION,
    "/api/v1/embeddings": EMBEDDINGS,
    "/api/v1/images": IMAGES,
    "/api/v1/rerank": RERANK,
}
"""The operations by their paths."""

RUNNERS: Final[Mapping[str, type[OneShot]]] = {"images": Images, "speech": Speech}
"""Who runs the operations that do more than one whole answer, by name."""
