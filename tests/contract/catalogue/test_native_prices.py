"""The prices of the endpoints at the vendors themselves against genai-prices, an independent collection of price lists."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.protocol.catalogue import Endpoint

genai_prices = pytest.importorskip("genai_prices", reason="genai-prices is not installed")
data = pytest.importorskip("genai_prices.data")

READ_ON = date(2026, 11, 23)
"""The day for which the catalogue was compared; price lists with a later start do not count."""

KEYS = {
    "prompt": "input_mtok",
    "completion": "output_mtok",
    "input_cache_read": "cache_read_mtok",
    "input_cache_write": "cache_write_mtok",
    "input_cache_write_1h": "cache_write_1h_mtok",
}

REVIEWED: Mapping[str, str] = {
    "deepseek/deepseek-v4-pro@deepseek": "its price depends on the hour; ours has the quiet hours as base and the busy ones as overrides, "
    "and the last row there is that of the busy hours",
}
"""Endpoints whose prices differ, with the reason."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """With all that an address may name, so that it shows whose it is."""
    return load(None, {"AWS_REGION": "us-east-1", "GOOGLE_CLOUD_PROJECT": "my-project", "GOOGLE_CLOUD_LOCATION": "global"})


def theirs(endpoint: Endpoint) -> object | None:
    """What genai-prices says of the endpoint's model at its vendor on the day of the comparison, None when it does not know it."""
    vendor = next((row for row in data.providers if re.match(row.api_pattern, endpoint.base_url)), None)
    model = vendor and (vendor.find_model(endpoint.upstream_model) or vendor.find_model(endpoint.upstream_model.rpartition("/")[2]))
    if not model:
        return None
    if not isinstance(model.prices, list):
        return model.prices
    in_force = [row.prices for row in model.prices if getattr(row.constraint, "start_date", READ_ON) <= READ_ON]
    return in_force[-1]


def pico(value: object) -> int | None:
    """USD a million tokens as pico-dollars a token; a tiered price counts with its base."""
    base = getattr(value, "base", value)
    return None if base is None else int(Decimal(str(base)) * 10**6)


def tiers(prices: object) -> dict[int, dict[str, int | None]]:
    """Price by our key for each threshold of tokens."""
    found: dict[int, dict[str, int | None]] = {}
    for ours, key in KEYS.items():
        for tier in getattr(getattr(prices, key), "tiers", ()):
            found.setdefault(tier.start, {})[ours] = pico(tier.price)
    return found


def natives(catalogue: Catalogue) -> list[Endpoint]:
    return [endpoint for endpoint in catalogue.endpoints.values() if endpoint.provider != "openrouter" and not endpoint.launch]


def differences(endpoint: Endpoint, prices: object) -> dict[object, object]:
    found: dict[object, object] = {
        ours: (getattr(endpoint.pricing, ours), pico(getattr(prices, key)))
        for ours, key in KEYS.items()
        if getattr(endpoint.pricing, ours) != pico(getattr(prices, key))
    }
    ours_by_size = {row.min_prompt_tokens: row.rates for row in endpoint.pricing.overrides}
    if ours_by_size != tiers(prices):
        found["overrides"] = (ours_by_size, tiers(prices))
    return found


def test_prices_are_those_of_genai_prices(catalogue: Catalogue) -> None:
    found = {}
    for endpoint in natives(catalogue):
        prices = theirs(endpoint)
        difference = "unknown there" if prices is None else differences(endpoint, prices)
        if difference:
            found[endpoint.id] = difference
    assert found.keys() == REVIEWED.keys(), found


def test_many_vendors_are_compared(catalogue: Catalogue) -> None:
    assert len({endpoint.provider for endpoint in natives(catalogue)}) >= 12
    assert len(natives(catalogue)) >= 60
