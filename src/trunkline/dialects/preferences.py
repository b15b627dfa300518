"""The `provider` object of a request (contract 3.1): checked as it is decoded, then turned into `protocol.routing.Preferences`."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trunkline.errors import ApiError
from trunkline.protocol.money import MAX_USD, PICO_PER_USD
from trunkline.protocol.routing import NO_PREFERENCES, Cutoffs, MaxPrice, Partition, Preferences, Sort

Quantization = Literal["int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown"]
Route = Literal["fallback", "sort"]
MAX_SLUGS = 256
"""Entries that a list of providers may have; more is a mistake, and would be walked for every request."""
MAX_SLUG_LENGTH = 128
MAX_MODELS = 64
"""Models that one request may name: each of them is looked up, planned for and maybe tried."""
MAX_MODEL_LENGTH = 512
NonNegative = Annotated[float, Meta(ge=0, le=1e9)]
Slug = Annotated[str, Meta(min_length=1, max_length=MAX_SLUG_LENGTH)]
Slugs = Annotated[list[Slug], Meta(max_length=MAX_SLUGS)]
ModelName = Annotated[str, Meta(max_length=MAX_MODEL_LENGTH)]
ModelNames = Annotated[list[ModelName], Meta(max_length=MAX_MODELS)]
_PER_MILLION = PICO_PER_USD // 10**6
_PARTITIONS: dict[Route, Partition] = {"fallback": "model", "sort": "none"}
"""The deprecated `route` in the words of `sort.partition` (contract 0.16)."""


class SortWire(Struct, forbid_unknown_fields=True):
    by: Sort | None = None
    partition: Partition | None = None


class PercentilesWire(Struct, forbid_unknown_fields=True):
    p50: NonNegative | None = None
    p75: NonNegative | None = None
    p90: NonNegative | None = None
    p99: NonNegative | None = None


class MaxPriceWire(Struct, forbid_unknown_fields=True):
    """Numbers or strings of USD (contract 0.10): a million tokens (prompt, completion), a request, an image, a unit of audio."""

    prompt: float | str | None = None
    completion: float | str | None = None
    request: float | str | None = None
    image: float | str | None = None
    audio: float | str | None = None


class PreferencesWire(Struct):
    """The object as sent. Ceilings, percentiles and sort refuse keys that they do not know: a misspelt ceiling would be no ceiling."""

    order: Slugs | None = None
    only: Slugs | None = None
    ignore: Slugs | None = None
    allow_fallbacks: bool | None = None
    require_parameters: bool | None = None
    data_collection: Literal["allow", "deny"] | None = None
    zdr: bool | None = None
    quantizations: Annotated[list[Quantization], Meta(max_length=MAX_SLUGS)] | None = None
    sort: Sort | SortWire | None = None
    max_price: MaxPriceWire | None = None
    enforce_distillable_text: bool | None = None
    preferred_min_throughput: NonNegative | PercentilesWire | None = None
    preferred_max_latency: NonNegative | PercentilesWire | None = None


def preferences(wire: PreferencesWire | None, route: Route | None = None) -> Preferences:
    """What the caller prefers; null and absent mean the default. `route` is the deprecated top-level field.

    Raises ApiError that names the field: for a price that is no amount of USD, an empty list where it would allow nothing, and lists or
    settings that contradict each other.
    """
    if wire is None:
        return NO_PREFERENCES if route in (None, "fallback") else Preferences(partition="none")
    asked = Preferences(
        order=_slugs("order", wire.order) or (),
        only=_slugs("only", wire.only),
        ignore=_slugs("ignore", wire.ignore) or (),
        allow_fallbacks=wire.allow_fallbacks is not False,
        require_parameters=wire.require_parameters is True,
        data_collection=wire.data_collection or "allow",
        zdr=wire.zdr is True,
        quantizations=None if wire.quantizations is None else tuple(wire.quantizations),
        sort=wire.sort.by if isinstance(wire.sort, SortWire) else wire.sort,
        max_price=_max_price(wire.max_price),
        partition=_partition(wire.sort, route),
        enforce_distillable_text=wire.enforce_distillable_text is True,
        min_throughput=_cutoffs(wire.preferred_min_throughput),
        max_latency=_cutoffs(wire.preferred_max_latency),
    )
    _check(asked)
    return asked if asked != NO_PREFERENCES else NO_PREFERENCES


def _slugs(name: str, given: Sequence[str] | None) -> tuple[str, ...] | None:
    """The slugs in lower case, each once. Display names are understood too (`Amazon Bedrock` as `amazon-bedrock`)."""
    if given is None:
        return None
    slugs = tuple(dict.fromkeys(["-".join(slug.lower().split()) for slug in given]))
    if "" in slugs:
        raise ApiError("invalid_request", f"provider.{name}: Expected provider slugs, got a blank one")
    return slugs


def _check(asked: Preferences) -> None:
    """Raise ApiError for preferences that nothing can meet."""
    for name, values in (("only", asked.only), ("quantizations", asked.quantizations)):
        if values == ():
            raise ApiError("invalid_request", f"provider.{name}: An empty list allows nothing; leave it out to allow everything")
    ignored = frozenset(asked.ignore)
    if asked.only is not None and ignored.issuperset(asked.only):
        raise ApiError("invalid_request", "provider.ignore: Contradicts provider.only, of which it leaves nothing")
    if asked.order and not asked.allow_fallbacks and ignored.issuperset(asked.order):
        raise ApiError("invalid_request", "provider.ignore: Contradicts provider.order, of which it leaves nothing")


def _partition(sort: Sort | SortWire | None, route: Route | None) -> Partition:
    said = sort.partition if isinstance(sort, SortWire) else None
    if route is None:
        return said or "model"
    if said not in (None, _PARTITIONS[route]):
        raise ApiError("invalid_request", f"route: Contradicts provider.sort.partition ({said})")
    return _PARTITIONS[route]


def _cutoffs(wire: float | PercentilesWire | None) -> Cutoffs | None:
    """A plain number speaks of the median; no percentile is no cut-off."""
    if isinstance(wire, PercentilesWire):
        given = Cutoffs(wire.p50, wire.p75, wire.p90, wire.p99)
        return None if given == Cutoffs() else given
    return None if wire is None else Cutoffs(p50=wire)


def _max_price(wire: MaxPriceWire | None) -> MaxPrice | None:
    if wire is None:
        return None
    ceilings = MaxPrice(
        prompt=_pico("prompt", wire.prompt, _PER_MILLION),
        completion=_pico("completion", wire.completion, _PER_MILLION),
        request=_pico("request", wire.request, PICO_PER_USD),
        image=_pico("image", wire.image, PICO_PER_USD),
        audio=_pico("audio", wire.audio, PICO_PER_USD),
    )
    return None if ceilings == MaxPrice() else ceilings


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
