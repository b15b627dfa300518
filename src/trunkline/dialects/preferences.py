"""The `provider` object of a request (contract 3.1): checked as it is decoded, then turned into `protocol.routing.Preferences`."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trunkline.errors import ApiError
from trunkline.protocol.money import MAX_USD, PICO_PER_USD
from trunkline.protocol.routing import NO_PREFERENCES, MaxPrice, Preferences, Sort

Quantization = Literal["int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown"]
NonNegative = Annotated[float, Meta(ge=0)]
_PER_MILLION = PICO_PER_USD // 10**6


class SortWire(Struct):
    by: Sort | None = None
    partition: Literal["model", "none"] | None = None


class PercentilesWire(Struct):
    p50: NonNegative | None = None
    p75: NonNegative | None = None
    p90: NonNegative | None = None
    p99: NonNegative | None = None


class MaxPriceWire(Struct):
    """Numbers or strings of USD (contract 0.10): a million tokens, a request, an image."""

    prompt: float | str | None = None
    completion: float | str | None = None
    request: float | str | None = None
    image: float | str | None = None
    audio: float | str | None = None


class PreferencesWire(Struct):
    """The object as sent. `preferred_*`, `enforce_distillable_text`, `sort.partition` and `max_price.audio` are checked and have no
    effect."""

    order: list[str] | None = None
    only: list[str] | None = None
    ignore: list[str] | None = None
    allow_fallbacks: bool | None = None
    require_parameters: bool | None = None
    data_collection: Literal["allow", "deny"] | None = None
    zdr: bool | None = None
    quantizations: list[Quantization] | None = None
    sort: Sort | SortWire | None = None
    max_price: MaxPriceWire | None = None
    enforce_distillable_text: bool | None = None
    preferred_min_throughput: NonNegative | PercentilesWire | None = None
    preferred_max_latency: NonNegative | PercentilesWire | None = None


def preferences(wire: PreferencesWire | None) -> Preferences:
    """What the caller prefers; null and absent mean the default. Raises ApiError for a price that is no amount of USD."""
    if wire is None:
        return NO_PREFERENCES
    return Preferences(
        order=tuple(wire.order or ()),
        only=None if wire.only is None else tuple(wire.only),
        ignore=tuple(wire.ignore or ()),
        allow_fallbacks=wire.allow_fallbacks is not False,
        require_parameters=wire.require_parameters is True,
        data_collection=wire.data_collection or "allow",
        zdr=wire.zdr is True,
        quantizations=None if wire.quantizations is None else tuple(wire.quantizations),
        sort=wire.sort.by if isinstance(wire.sort, SortWire) else wire.sort,
        max_price=_max_price(wire.max_price),
    )


def _max_price(wire: MaxPriceWire | None) -> MaxPrice | None:
    if wire is None:
        return None
    return MaxPrice(
        prompt=_pico("prompt", wire.prompt, _PER_MILLION),
        completion=_pico("completion", wire.completion, _PER_MILLION),
        request=_pico("request", wire.request, PICO_PER_USD),
        image=_pico("image", wire.image, PICO_PER_USD),
    )


def _pico(name: str, amount: float | str | None, per_usd: int) -> int | None:
    if amount is None:
        return None
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 <= value <= MAX_USD:
        raise ApiError("invalid_request", f"provider.max_price.{name}: Expected an amount of USD, got {str(amount)[:40]!r}")
    return int(value * per_usd)
