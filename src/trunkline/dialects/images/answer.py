"""The body of an answer to `POST /images`, and its `usage` (contract 5.6)."""

from typing import Any

import msgspec

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.images.picture import Picture
from trunkline.dialects.images.request import ImagesRequest
from trunkline.dialects.oneshot import Result, charges
from trunkline.protocol.usage import Cost, Usage


def write(identity: Identity, _request: ImagesRequest, result: Result, usage: Usage, cost: Cost) -> bytes:
    """The JSON body. `result.content` holds the pictures."""
    body = {"created": identity.created, "data": [picture_view(one) for one in result.content], "usage": usage_view(usage, cost)}
    return msgspec.json.encode(body)


def picture_view(one: Picture) -> dict[str, str]:
    """One image; the media type only where it is known."""
    return {"b64_json": one.data} if one.media_type is None else {"b64_json": one.data, "media_type": one.media_type}


def usage_view(usage: Usage, cost: Cost) -> dict[str, Any]:
    """The `usage` object."""
    return {
        "prompt_tokens": usage.input_total,
        "completion_tokens": usage.output_total,
        "total_tokens": usage.input_total + usage.output_total,
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning or 0,
            "image_tokens": usage.output_image or 0,
            "audio_tokens": usage.output_audio or 0,
        },
        **charges(usage, cost),
    }
