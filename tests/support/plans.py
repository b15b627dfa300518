"""Situations to plan in: requests, endpoints, health and preferences, with every field of each, by number and always the same.

Each thing has only a few fields that are not as usual: were all of them drawn at once, hardly an endpoint would be left to plan with, and
a leak would have nothing to leak. Numbers in place of hypothesis, which takes a hundred times as long to make one.
"""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from endpoints import endpoint
from msgspec import Struct

from trunkline.protocol.catalogue import DataPolicy, Endpoint, PriceOverride, Pricing
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Cutoffs, MaxPrice, Preferences, RequestFacts

Make = Callable[[Random], Any]
MODELS = ("a/m", "a/n")
TAGS = ("a", "a/eu", "a/priority", "b", "b/flex", "c", "d/fp8", "e", "e/fast")
NAMES = (*TAGS, "d", "zzz")
NOW = 100.0


class Situation(Struct, frozen=True):
    """What a plan is made of."""

    facts: RequestFacts
    fleets: list[tuple[Endpoint, ...]]
    health: HealthSnapshot
    wish: Preferences
    seed: float


def situations(count: int) -> Iterator[Situation]:
    """So many of them."""
    for number in range(count):
        chance = Random(number)
        models = chance.sample(MODELS, chance.choice((1, 1, 2)))
        fleets = [tuple(some_endpoint(chance, model) for _ in range(chance.randint(0, 9))) for model in models]
        yield Situation(some_facts(chance), fleets, some_health(chance), some_preferences(chance), chance.random())


def _one_of(*values: object) -> Make:
    return lambda chance: chance.choice(values)


def _some(chance: Random, fields: Mapping[str, Make], most: int) -> dict[str, Any]:
    """At most so many of the fields."""
    return {name: fields[name](chance) for name in chance.sample([*fields], chance.randint(0, min(most, len(fields))))}


def _names(chance: Random) -> tuple[str, ...]:
    return tuple(chance.sample(NAMES, chance.randint(1, 5)))


def _percentiles(chance: Random) -> Percentiles:
    return Percentiles(*[chance.choice((1.0, 5.0, 50.0)) for _ in range(4)])


def _cutoffs(chance: Random) -> Cutoffs:
    return Cutoffs(**_some(chance, dict.fromkeys(("p50", "p75", "p90", "p99"), _one_of(2.0, 20.0)), 4))


def _parameters(chance: Random) -> frozenset[str]:
    return frozenset(chance.sample(("tools", "response_format", "verbosity", "seed"), chance.randint(0, 4)))


PRICES: Mapping[str, Make] = {name: lambda chance: chance.randint(0, 3) for name in ("prompt", "completion", "request", "image", "audio")}
PREFERENCES: Mapping[str, Make] = {
    "order": _names,
    "only": _names,
    "ignore": _names,
    "allow_fallbacks": _one_of(False),
    "require_parameters": _one_of(True),
    "data_collection": _one_of("deny"),
    "zdr": _one_of(True),
    "quantizations": lambda chance: tuple(chance.sample(("fp8", "mxfp8", "int4", "fp4", "nvfp4", "unknown"), chance.randint(1, 3))),
    "sort": _one_of("price", "throughput", "latency", "exacto"),
    "max_price": lambda chance: MaxPrice(**_some(chance, PRICES, 3)),
    "partition": _one_of("none"),
    "enforce_distillable_text": _one_of(True),
    "min_throughput": _cutoffs,
    "max_latency": _cutoffs,
}
FACTS: Mapping[str, Make] = {
    "parameters": _parameters,
    "prompt_tokens": _one_of(100, 1000),
    "max_tokens": _one_of(10, 1000),
    "service_tier": _one_of("auto", "default", "priority", "fast", "flex"),
    "variants": lambda chance: {model: tuple(chance.sample(("nitro", "floor", "exacto"), chance.randint(0, 2))) for model in MODELS},
    "sticky": _one_of(*TAGS),
    "distillable": lambda chance: frozenset(chance.sample(MODELS, chance.randint(0, 2))),
    "region": _one_of("eu"),
}
HEALTH: Mapping[str, Make] = {
    "recent_failures": _one_of(1, 2),
    "standing": _one_of("degraded", "down"),
    "ejected_until": _one_of(99.0, 101.0, 130.0),
    "probing": _one_of(True),
    "headroom": _one_of(0.0, 0.5),
    "latency": _percentiles,
    "throughput": _percentiles,
    "requests": _one_of(500),
    "speed": _one_of(1.0, 50.0, 60.0),
    "tool_requests": _one_of(500),
    "tool_success": _one_of(0.2, 0.98, 0.99),
    "behind": _one_of(True, False),
}
ENDPOINT: Mapping[str, Make] = {
    "quantization": _one_of("fp8", "mxfp8", "int4", "nvfp4"),
    "data_policy": lambda chance: DataPolicy(training=chance.random() < 0.5, zdr=chance.random() < 0.5),
    "supported_parameters": _parameters,
    "context_length": _one_of(50, 500),
    "max_prompt_tokens": _one_of(60, 600),
    "max_completion_tokens": _one_of(100, 5000),
    "region": _one_of("eu", "us"),
    "byok": _one_of("k", "l"),
    "byok_fallback": _one_of(True),
    "byok_only": _one_of(True),
}
SCOPES = [(name, model) for name in ("a", "b", "e", "k") for model in ("", *MODELS)]


def some_preferences(chance: Random) -> Preferences:
    """None at all for every fourth."""
    return NO_PREFERENCES if chance.random() < 0.25 else Preferences(**_some(chance, PREFERENCES, 4))


def some_facts(chance: Random) -> RequestFacts:
    """A request."""
    return RequestFacts(MODELS, **_some(chance, FACTS, 4))


def some_health(chance: Random) -> HealthSnapshot:
    """Ejections and cool-downs that are over, and some that are not; half of the snapshots know of no trouble."""
    fields = HEALTH if chance.random() < 0.5 else {name: HEALTH[name] for name in HEALTH if name not in ("ejected_until", "probing")}
    known = {tag: EndpointHealth(**_some(chance, fields, 6)) for tag in chance.sample(TAGS, chance.randint(0, len(TAGS)))}
    cooling = {scope: chance.choice((50.0, 120.0)) for scope in chance.sample(SCOPES, chance.choice((0, 0, 0, 2)))}
    return HealthSnapshot(known, cooling, NOW)


def some_pricing(chance: Random) -> Pricing:
    """Prices; some grow with the prompt."""
    override = PriceOverride(
        {name: chance.randint(0, 6) for name in chance.sample(("prompt", "completion", "image"), 2)}, chance.choice((None, 50))
    )
    more = {**PRICES, "input_cache_read": _one_of(0, 2), "overrides": _one_of((override,))}
    return Pricing(**{"prompt": chance.randint(0, 8), **_some(chance, more, 3)})


def some_endpoint(chance: Random, model: str) -> Endpoint:
    """An endpoint, plain or at a caller's own key."""
    return endpoint(chance.choice(TAGS), model=model, pricing=some_pricing(chance), **_some(chance, ENDPOINT, 4))
