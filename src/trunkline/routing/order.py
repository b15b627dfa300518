"""In which order endpoints are tried (contract 3.2): the caller's order, a sort by price, or a weighted choice among the healthy."""

from collections.abc import Sequence

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import HealthSnapshot
from trunkline.protocol.routing import Preferences
from trunkline.routing import slugs


def price_of(endpoint: Endpoint) -> int:
    """The price by which endpoints are compared: a prompt token and a completion token, in pico-dollars."""
    return endpoint.pricing.prompt + endpoint.pricing.completion


def by_weight(endpoints: Sequence[Endpoint], health: HealthSnapshot, seed: float) -> list[Endpoint]:
    """Stable endpoints first: one of them drawn with weight 1/price², the others by price; then those with an outage in the last 30 s, by
    price.

    `seed` is a random number in [0, 1). Free endpoints are infinitely likelier than priced ones and equally likely among themselves.
    """
    ranked = sorted(endpoints, key=price_of)
    stable = [one for one in ranked if not health.failing(one.id)]
    failing = [one for one in ranked if health.failing(one.id)]
    if len(stable) > 1:
        first = stable.pop(_draw([price_of(one) for one in stable], seed))
        stable.insert(0, first)
    return stable + failing


def _draw(prices: Sequence[int], seed: float) -> int:
    free = sum(1 for price in prices if price == 0)
    if free:
        return int(seed * free)
    lowest = prices[0]
    weights = [(lowest / price) ** 2 for price in prices]
    mark = seed * sum(weights)
    for index, weight in enumerate(weights):
        mark -= weight
        if mark < 0:
            return index
    return len(weights) - 1


def arrange(endpoints: Sequence[Endpoint], health: HealthSnapshot, preferences: Preferences, seed: float) -> list[Endpoint]:
    """The endpoints in the order in which they are tried."""
    if preferences.order:
        listed = [one for one in endpoints if slugs.position(preferences.order, one) is not None]
        listed.sort(key=lambda one: (slugs.position(preferences.order, one), price_of(one)))
        if not preferences.allow_fallbacks:
            return listed
        rest = [one for one in endpoints if slugs.position(preferences.order, one) is None]
        return listed + by_weight(rest, health, seed)
    if preferences.sort == "price":
        return sorted(endpoints, key=lambda one: (health.failing(one.id), price_of(one)))
    return by_weight(endpoints, health, seed)
