"""OpenAI's `POST /images/generations` and, with reference images, the form `POST /images/edits` (API reference, "Images"); xAI,
Together and others follow the first."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from trunkline.dialects.forms import Field, write_form
from trunkline.dialects.images.picture import pictures
from trunkline.dialects.images.request import ImagesRequest
from trunkline.dialects.images.size import Size
from trunkline.dialects.media import split_data_url
from trunkline.dialects.oneshot import (
    JSON,
    RawUsage,
    Result,
    Sending,
    Shape,
    adapted,
    address,
    document,
    passed_on,
    quirks_of,
    whole_number,
)
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Units

PARTIAL_IMAGES: Final = 2
_SQUARE, _WIDE, _TALL = "1024x1024", "1536x1024", "1024x1536"
"""The sizes that all of OpenAI's image models make."""
_SLACK: Final = 1.15


def _send(request: ImagesRequest, endpoint: Endpoint) -> list[Sending]:
    streams = request.stream and quirks_of(endpoint, "images").stream
    body = {
        **passed_on(request, endpoint, "images"),
        "model": endpoint.upstream_model,
        "prompt": request.prompt,
        "n": request.count,
        "size": _size(request.size),
        "quality": request.quality,
        "background": request.background,
        "output_format": request.format,
        "output_compression": request.compression,
        "seed": request.seed,
        "stream": True if streams else None,
        "partial_images": PARTIAL_IMAGES if streams else None,
        "user": request.user,
    }
    accept = "text/event-stream, application/json" if streams else JSON
    if request.references:
        return [_edit(request, endpoint, adapted(body, endpoint), accept)]
    url = address(endpoint, "images", "/images/generations")
    return [Sending(url, msgspec.json.encode(adapted(body, endpoint)), accept=accept)]


def _edit(request: ImagesRequest, endpoint: Endpoint, body: dict[str, object], accept: str) -> Sending:
    fields = [Field(name, (str(value).lower() if isinstance(value, bool) else str(value)).encode()) for name, value in body.items()]
    fields += [_reference(url, index) for index, url in enumerate(request.references)]
    form, content_type = write_form(fields)
    return Sending(address(endpoint, "images", "/images/edits"), form, content_type, accept)


def _reference(url: str, index: int) -> Field:
    split = split_data_url(url)
    if split is None:
        raise ApiError("invalid_request", f"input_references[{index}].image_url.url: This model's provider takes base64 data URLs only")
    try:
        data = base64.b64decode(split[1], validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("invalid_request", f"input_references[{index}].image_url.url: Expected base64") from None
    return Field("image[]", data, f"reference-{index}.{split[0].partition('/')[2][:8]}", split[0])


def _size(size: Size) -> str | None:
    """Pixels as they are asked for; else the nearest shape that OpenAI's models make."""
    if size.pixels is not None:
        return f"{size.pixels[0]}x{size.pixels[1]}"
    proportion = size.proportion
    if proportion is None:
        return None
    if 1 / _SLACK <= proportion <= _SLACK:
        return _SQUARE
    return _WIDE if proportion > 1 else _TALL


def _read(_request: ImagesRequest, _endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    body: dict[str, Any] = document(bodies[0])
    made = pictures(body.get("data"))
    return Result(made, usage=tokens(body.get("usage")), units=Units(images=len(made)))


def tokens(usage: object) -> RawUsage:
    """Token counts in the names of chat; {} where there are none: what is charged for each image has no tokens."""
    if not isinstance(usage, dict):
        return {}
    given = whole_number(usage.get("input_tokens", usage.get("prompt_tokens")))
    made = whole_number(usage.get("output_tokens", usage.get("completion_tokens")))
    details = usage.get("input_tokens_details")
    images = whole_number(details.get("image_tokens")) if isinstance(details, dict) else None
    return {
        "prompt_tokens": given or 0,
        "completion_tokens": made or 0,
        "prompt_tokens_details": {"image_tokens": images},
        "completion_tokens_details": {"image_tokens": made},
        "cost": usage.get("cost"),
    }


SHAPE = Shape(_send, _read)
