"""Images by conversation: a model that talks is asked for one, over any dialect that has a way through the hub.

Each image is a call of its own. What the model says beside its image is dropped; one that only talks has not answered.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.answer import fold
from trunkline.dialects.hub.conversation import Conversation, Image, Sampling, Text, Turn
from trunkline.dialects.hub.events import Media
from trunkline.dialects.images.picture import Picture, picture
from trunkline.dialects.images.request import ImagesRequest
from trunkline.dialects.media import split_data_url
from trunkline.dialects.oneshot import Result, Sending, Shape, counted
from trunkline.errors import MalformedResponse
from trunkline.inference.ways import OUTBOUND
from trunkline.metering.usage import normalise
from trunkline.protocol.catalogue import Endpoint, Model
from trunkline.protocol.usage import Units, Usage

NAME = "conversation"


def form(endpoint: Endpoint, model: Model) -> str:
    """How an endpoint makes images: a model that talks too is asked in a conversation."""
    return NAME if "text" in model.output_modalities else endpoint.dialect


def conversation(request: ImagesRequest) -> Conversation:
    """The wish for an image, in words."""
    size = {"aspect_ratio": request.size.ratio, "image_size": request.size.tier}
    config = {name: value for name, value in size.items() if value not in (None, "auto")}
    references = [_reference(url) for url in request.references]
    return Conversation(
        turns=(Turn(role="user", blocks=(Text(text=request.prompt), *references)),),
        modalities=("image", "text"),
        image_config=Raw(msgspec.json.encode(config)) if config else None,
        sampling=Sampling(seed=request.seed),
    )


def _reference(url: str) -> Image:
    split = split_data_url(url)
    return Image(url=url) if split is None else Image(data=split[1], media_type=split[0])


def _send(request: ImagesRequest, endpoint: Endpoint) -> list[Sending]:
    outbound = OUTBOUND[endpoint.dialect]
    body = outbound.composer(endpoint).compose(conversation(request))
    return [Sending(outbound.url(endpoint, stream=False), body)] * request.count


def _read(request: ImagesRequest, endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    said = [_answer(request, endpoint, body) for body in bodies]
    made = tuple([one for pictures, _ in said for one in pictures])
    return Result(made, usage=counted([usage for _, usage in said]), units=Units(images=len(made)))


def _answer(request: ImagesRequest, endpoint: Endpoint, body: bytes) -> tuple[list[Picture], object]:
    decoder = OUTBOUND[endpoint.dialect].decoder(endpoint, conversation(request), seed=NAME)
    answer = fold(decoder.whole(body))
    if answer.error is not None:
        raise answer.error
    media = [block.media for block in answer.blocks if block.media is not None and block.media.kind == "image"]
    if not media:
        raise MalformedResponse("the model answered without an image", status=200)
    usage = None if answer.usage is None else _chat_names(normalise(answer.usage, endpoint.quirks, endpoint.dialect))
    return [_picture(one) for one in media], usage


def _picture(media: Media) -> Picture:
    split = split_data_url(media.url) if media.url else None
    return picture(split[1] if split is not None else media.data)


def _chat_names(usage: Usage) -> dict[str, Any]:
    """Usage under the names of chat, which the ledger reads."""
    return {
        "prompt_tokens": usage.input_total,
        "completion_tokens": usage.output_total,
        "prompt_tokens_details": {"image_tokens": usage.input_image, "cached_tokens": usage.cache_read},
        "completion_tokens_details": {"image_tokens": usage.output_image, "reasoning_tokens": usage.reasoning},
    }


SHAPE = Shape(_send, _read)
