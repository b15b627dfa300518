"""The words between the router and the rest: what is known of a request, what the caller prefers, and the plan that results."""

from typing import Literal

from msgspec import Struct

from trunkline.protocol.catalogue import Endpoint

Sort = Literal["price", "throughput", "latency", "exacto"]


class MaxPrice(Struct, frozen=True, gc=False):
    """Ceilings of `provider.max_price` in pico-dollars a token (prompt, completion) or unit (request, image)."""

    prompt: int | None = None
    completion: int | None = None
    request: int | None = None
    image: int | None = None


class Preferences(Struct, frozen=True):
    """The `provider` object of a request (contract 3.1), parsed."""

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


NO_PREFERENCES = Preferences()


class RequestFacts(Struct, frozen=True, gc=False):
    """What routing may know of a request. `models` are ids in the caller's order; `parameters` the names it used; `prompt_tokens` an
    estimate; `max_tokens` the caller's output limit; `modalities` those of its input beside text."""

    models: tuple[str, ...]
    parameters: frozenset[str] = frozenset()
    prompt_tokens: int = 0
    max_tokens: int | None = None
    modalities: frozenset[str] = frozenset()


class Exclusion(Struct, frozen=True, gc=False):
    """Why an endpoint was left out, in the vocabulary of `error.availability.excluded_by` (contract 2.12)."""

    endpoint: Endpoint
    reason: str


class Plan(Struct, frozen=True):
    """Endpoints to try in order, and those left out with the reason."""

    attempts: tuple[Endpoint, ...]
    excluded: tuple[Exclusion, ...] = ()
    allow_fallbacks: bool = True
