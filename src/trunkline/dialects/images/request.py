"""What a caller sends to `POST /images`, checked. Errors are ApiError("invalid_request") that name the field."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from trunkline.dialects.body import read_body
from trunkline.dialects.images.size import Size, size_of
from trunkline.dialects.oneshot import OneShotRequest
from trunkline.dialects.options import OptionsWire, options
from trunkline.dialects.preferences import preferences
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.usage import Units

MAX_REFERENCES = 16

Quality = Literal["auto", "low", "medium", "high"]
Background = Literal["auto", "transparent", "opaque"]
Format = Literal["png", "jpeg", "webp", "svg"]


class UrlWire(Struct):
    url: Annotated[str, Meta(min_length=1)]


class ReferenceWire(Struct):
    type: Literal["image_url"]
    image_url: UrlWire


class ImagesWire(Struct):
    model: Annotated[str, Meta(min_length=1)]
    prompt: Annotated[str, Meta(min_length=1)]
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    size: str | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    quality: Quality | None = None
    output_format: Format | None = None
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    background: Background | None = None
    seed: int | None = None
    stream: bool | None = None
    input_references: Annotated[list[ReferenceWire], Meta(max_length=MAX_REFERENCES)] | None = None
    provider: OptionsWire | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    session_id: Annotated[str, Meta(max_length=256)] | None = None


class ImagesRequest(OneShotRequest, frozen=True, kw_only=True):
    """One request. `references` are URLs of images, `data:` or http."""

    dialect: Dialect = "chat"
    prompt: str
    count: int = 1
    size: Size = Size()
    quality: Quality | None = None
    format: Format | None = None
    compression: int | None = None
    background: Background | None = None
    seed: int | None = None
    references: tuple[str, ...] = ()


_READ = msgspec.json.Decoder(ImagesWire)


def parse(body: bytes) -> ImagesRequest:
    """Read a request for images. Raises ApiError("invalid_request") that names the field."""
    raw, wire = read_body(body, _READ)
    if wire.background == "transparent" and wire.output_format not in (None, "png", "webp"):
        raise ApiError("invalid_request", "background: Only png and webp can be transparent")
    references = tuple([one.image_url.url for one in wire.input_references or ()])
    return ImagesRequest(
        fields=raw,
        stream=wire.stream is True,
        model=wire.model,
        models=(wire.model,),
        prompt=wire.prompt,
        count=wire.n or 1,
        size=size_of(wire.size, wire.resolution, wire.aspect_ratio),
        quality=wire.quality,
        format=wire.output_format,
        compression=wire.output_compression,
        background=wire.background,
        seed=wire.seed,
        references=references,
        outputs=frozenset(("image",)),
        modalities=frozenset(("image",)) if references else frozenset(),
        prompt_bytes=len(wire.prompt.encode()),
        expected=Units(images=wire.n or 1),
        preferences=preferences(wire.provider),
        options=options(wire.provider),
        user=wire.user,
        session_id=wire.session_id,
    )
