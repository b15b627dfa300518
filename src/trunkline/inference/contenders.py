"""The models among which a router chooses for a request: those that can be called, can do what it needs, and that its preferences allow."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.statistics import UNMEASURED_MODEL, ModelStats
from trunkline.inference.candidates import must_reason, plan_facts
from trunkline.protocol.catalogue import Endpoint, Model, Pricing
from trunkline.protocol.health import HealthSnapshot
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.traffic import Traffic, Use
from trunkline.routing.plan import make_plan
from trunkline.routing.routers.contender import Contender

_TEXT: Final = frozenset(("text",))
_FEATURES: Final = frozenset(("tools", "response_format", "structured_outputs"))
"""Parameters without which the answer would not be one to what was asked."""
_BYTES_A_TOKEN: Final = 3
"""Of text, at least in most languages: a router knows no model yet whose tokens it could estimate better."""
_NO_HEALTH: Final = HealthSnapshot()
UNUSED: Final = Use()


class Offer(Struct, frozen=True):
    """A model with the endpoints that can be called."""

    model: Model
    endpoints: tuple[Endpoint, ...]


class Contenders:
    """Finds them. `traffic` gives what was used in seven days, `stats` what was measured of models."""

    def __init__(self, traffic: Callable[[], Traffic], stats: Callable[[], Mapping[str, ModelStats]]) -> None:
        self._traffic = traffic
        self._stats = stats
        self._offers: tuple[Catalogue | None, list[Offer]] = (None, [])

    def find(self, catalogue: Catalogue, request: InboundRequest) -> list[Contender]:
        """The contenders for a request, in catalogue order."""
        used, stats = self._traffic().models, self._stats()
        needed = request.parameters & _FEATURES
        fitting = [one for one in self._known(catalogue) if _fits(one, request, needed)]
        named = structs.replace(request, models=tuple([one.model.id for one in fitting]))
        facts = plan_facts(catalogue, named, request.prompt_bytes // _BYTES_A_TOKEN)
        found = []
        for offer in fitting:
            endpoints = [one for one in offer.endpoints if _supports(one, needed)]
            plan = make_plan(facts, (endpoints,), _NO_HEALTH, request.preferences, 0.0)
            if plan.attempts:
                found.append(_contender(offer.model, plan.attempts, used.get(offer.model.id, UNUSED), stats))
        return found

    def _known(self, catalogue: Catalogue) -> list[Offer]:
        """What can be called of a catalogue, made once for each."""
        of, offers = self._offers
        if of is not catalogue:
            models = [model for model in catalogue.models.values() if not model.retired]
            offers = [Offer(model, endpoints) for model in models if (endpoints := catalogue.available_endpoints(model.id))]
            self._offers = (catalogue, offers)
        return offers


def _fits(offer: Offer, request: InboundRequest, needed: frozenset[str]) -> bool:
    model = offer.model
    outputs = request.outputs or _TEXT
    return (
        not outputs.isdisjoint(model.output_modalities)
        and request.modalities <= {*model.input_modalities, "file"}
        and any(_supports(one, needed) for one in offer.endpoints)
        and not (request.reasoning_off and must_reason(model))
    )


def _supports(endpoint: Endpoint, needed: frozenset[str]) -> bool:
    return endpoint.supported_parameters is None or needed <= endpoint.supported_parameters


def _contender(model: Model, endpoints: tuple[Endpoint, ...], used: Use, stats: Mapping[str, ModelStats]) -> Contender:
    cheapest = min((one.pricing for one in endpoints), key=lambda pricing: 3 * pricing.prompt + pricing.completion)
    return Contender(
        model.id,
        prompt_price=cheapest.prompt,
        completion_price=cheapest.completion,
        input_price=_input_price(cheapest, used),
        spent_week=used.spent,
        throughput=stats.get(model.id, UNMEASURED_MODEL).throughput,
        created=model.created,
        free=not (cheapest.prompt or cheapest.completion or cheapest.request),
    )


def _input_price(pricing: Pricing, used: Use) -> float:
    """What a token of input comes to, as long as so many of them are read from the cache as were lately."""
    if pricing.input_cache_read is None or not used.prompt_tokens:
        return pricing.prompt
    cached = min(1.0, used.cached_tokens / used.prompt_tokens)
    return pricing.prompt + cached * (pricing.input_cache_read - pricing.prompt)
