"""Tokens and units of one generation in normal form, whatever the upstream called them."""

from typing import Literal

from msgspec import Struct

UsageSource = Literal["upstream", "estimated"]


class Usage(Struct, frozen=True, gc=False):
    """What was used, in tokens unless said otherwise.

    Invariants: `input_total` includes cache reads, cache writes and modality parts; `output_total` includes reasoning; no part exceeds its
    total; nothing is negative. None means that the upstream did not say; 0 is a value.
    """

    input_total: int = 0
    output_total: int = 0
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    input_audio: int | None = None
    input_image: int | None = None
    input_video: int | None = None
    reasoning: int | None = None
    output_audio: int | None = None
    output_image: int | None = None
    accepted_prediction: int | None = None
    rejected_prediction: int | None = None
    web_searches: int = 0
    upstream_cost: int | None = None
    source: UsageSource = "upstream"


class Cost(Struct, frozen=True, gc=False):
    """Pico-dollars of one generation: `total` is charged; `prompt` and `completion` are the parts that tokens cost. `own_key`: at the
    upstream it was charged to the caller's own credential."""

    total: int = 0
    prompt: int = 0
    completion: int = 0
    own_key: bool = False


class Units(Struct, frozen=True, gc=False):
    """What an operation used beside tokens: characters of text to speak, milliseconds of sound heard, images made, searches of a rerank."""

    characters: int = 0
    milliseconds: int = 0
    images: int = 0
    searches: int = 0
