"""Content parts of items as blocks of the hub."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.conversation import Audio, Block, File, Image, Refusal, Text, Ttl, Video
from trunkline.dialects.media import split_data_url
from trunkline.dialects.responses.citations import to_chat
from trunkline.dialects.responses.items import (
    AudioPart,
    FilePart,
    ImagePart,
    OutputTextPart,
    Part,
    PlainPart,
    RefusalPart,
    TextPart,
    VideoPart,
)

_BREAKPOINT: Ttl = "5m"
"""What a cache breakpoint becomes: lifetimes are not translated (contract 4.6), and this is the shortest."""


def blocks_of(content: str | Sequence[Part] | None) -> tuple[Block, ...]:
    """The blocks of a content; "" and null have none."""
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    return tuple(_BLOCKS[type(part)](part) for part in content or ())


def _text(part: TextPart) -> Block:
    return Text(text=part.text, cache=_cache(part))


def _output_text(part: OutputTextPart) -> Block:
    return Text(text=part.text, annotations=tuple(_citation(one) for one in part.annotations or ()))


def _plain(part: PlainPart) -> Block:
    return Text(text=part.text)


def _refusal(part: RefusalPart) -> Block:
    return Refusal(text=part.refusal)


def _image(part: ImagePart) -> Block:
    if part.image_url is None:
        return File(file_id=part.file_id, media_type="image/*", cache=_cache(part))
    media_type, data = split_data_url(part.image_url) or (None, None)
    return Image(url=part.image_url if data is None else None, data=data, media_type=media_type, detail=part.detail, cache=_cache(part))


def _file(part: FilePart) -> Block:
    url = part.file_url
    split = split_data_url(part.file_data or url or "")
    if split is not None:
        return File(filename=part.filename, media_type=split[0], data=split[1], cache=_cache(part))
    return File(filename=part.filename, url=url, data=part.file_data, file_id=part.file_id, cache=_cache(part))


def _audio(part: AudioPart) -> Block:
    return Audio(data=part.input_audio.data, format=part.input_audio.format)


def _video(part: VideoPart) -> Block:
    split = split_data_url(part.video_url)
    return Video(url=part.video_url) if split is None else Video(media_type=split[0], data=split[1])


def _cache(part: TextPart | ImagePart | FilePart) -> Ttl | None:
    return None if part.prompt_cache_breakpoint is None else _BREAKPOINT


def _citation(raw: Raw) -> Raw:
    return Raw(msgspec.json.encode(to_chat(msgspec.json.decode(raw))))


_BLOCKS: dict[type, Callable[[Any], Block]] = {
    TextPart: _text,
    OutputTextPart: _output_text,
    PlainPart: _plain,
    RefusalPart: _refusal,
    ImagePart: _image,
    FilePart: _file,
    AudioPart: _audio,
    VideoPart: _video,
}
