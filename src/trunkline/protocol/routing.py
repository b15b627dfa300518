"""The words between the router and the rest: what is known of a request, what the caller prefers, and the plan that results."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from trunkline.protocol.catalogue import Endpoint

Sort = Literal["price", "throughput", "latency", "exacto"]
Partition = Literal["model", "none"]
Rank = tuple[float, ...]
"""Where an endpoint stands, smaller being earlier: one number for each of `routing.order.COLUMNS`."""


class MaxPrice(Struct, frozen=True, gc=False):
    """Ceilings of `provider.max_price` in pico-dollars a token (prompt, completion) or unit (request, image, audio)."""

    prompt: int | None = None
    completion: int | None = None
    request: int | None = None
    image: int | None = None
    audio: int | None = None


class Cutoffs(Struct, frozen=True, gc=False):
    """What percentiles should reach: tokens a second or seconds. `p90` speaks of what 90 % of the requests reach or better."""

    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p99: float | None = None


class Preferences(Struct, frozen=True):
    """The `provider` object of a request (contract 3.1), parsed. Provider slugs are in lower case.

    `only` and `quantizations`: None = any. `partition`: whether all endpoints of a model come before those of its fallback.
    """

    order: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    allow_fallbacks: bool = True
    require_parameters: bool = False
    data_collection: Literal["allow", "deny"] = "allow"
    zdr: bool = False
    quantizations: tuple[str, ...] | None = None
    sort: Sort | None = None
    max_price: MaxPrice | None = None
    partition: Partition = "model"
    enforce_distillable_text: bool = False
    min_throughput: Cutoffs | None = None
    max_latency: Cutoffs | None = None


NO_PREFERENCES = Preferences()
NO_VARIANTS: Mapping[str, tuple[str, ...]] = {}


class RequestFacts(Struct, frozen=True, gc=False):
    """What routing may know of a request. `models` are ids in the caller's order; `parameters` the names it used; `prompt_tokens` an
    estimate; `max_tokens` the caller's output limit; `modalities` those of its input beside text.

    `service_tier`: as the caller wrote it. `variants`: the dynamic suffixes (`nitro`, `floor`, `exacto`) by model id. `sticky`: the id of
    the endpoint that served this conversation last, if any (contract 3.8). `distillable`: ids of the models whose authors allow
    distillation, needed only where the caller asks for it. `region`: where the request must stay, empty = anywhere.
    """

    models: tuple[str, ...]
    parameters: frozenset[str] = frozenset()
    prompt_tokens: int = 0
    max_tokens: int | None = None
    modalities: frozenset[str] = frozenset()
    service_tier: str | None = None
    variants: Mapping[str, tuple[str, ...]] = NO_VARIANTS
    sticky: str = ""
    distillable: frozenset[str] = frozenset()
    region: str = ""


class Exclusion(Struct, frozen=True, gc=False):
    """Why an endpoint was left out: `reason` in the vocabulary of `error.availability.excluded_by` (contract 2.12), and `rule`, the field
    or habit behind it (`only`, `zdr`, `max_tokens`, `tools`, `service_tier`, ...)."""

    endpoint: Endpoint
    reason: str
    rule: str = ""


class Plan(Struct, frozen=True):
    """Endpoints to try in order, and those left out with the reason. `ranks` holds the place of each attempt, and is empty where there was
    nothing to order."""

    attempts: tuple[Endpoint, ...]
    excluded: tuple[Exclusion, ...] = ()
    allow_fallbacks: bool = True
    ranks: tuple[Rank, ...] = ()
