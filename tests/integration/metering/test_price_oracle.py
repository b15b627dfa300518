"""Our arithmetic against that of the `genai-prices` package, at its own prices: caches, lifetimes and long-context cliffs."""

from decimal import Decimal
from typing import Any, Final

import pytest

from trunkline.metering.cost import price
from trunkline.protocol.catalogue import PriceOverride, Pricing
from trunkline.protocol.usage import Usage

genai_prices = pytest.importorskip("genai_prices", reason="genai-prices is not installed")

MODELS: Final = (("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-4.1"), ("google", "gemini-2.5-pro"))
USAGES: Final = {
    "plain": Usage(1_000, 500),
    "cached": Usage(10_000, 500, cache_read=9_000),
    "at the cliff": Usage(200_000, 10),
    "over the cliff": Usage(200_001, 4_000, cache_read=50_000),
}
NAMES: Final = {
    "input_mtok": "prompt",
    "output_mtok": "completion",
    "cache_read_mtok": "input_cache_read",
    "cache_write_mtok": "input_cache_write",
}


def pricing_of(model: Any) -> Pricing:
    """A price of the package in our form: base rates, and one override for each threshold."""
    base: dict[str, int] = {}
    tiers: dict[int, dict[str, int]] = {}
    for theirs, ours in NAMES.items():
        rate = getattr(model, theirs)
        if rate is None:
            continue
        base[ours] = int(Decimal(getattr(rate, "base", rate)) * 10**6)
        for tier in getattr(rate, "tiers", ()):
            tiers.setdefault(tier.start, {})[ours] = int(Decimal(tier.price) * 10**6)
    return Pricing(**base, overrides=tuple(PriceOverride(rates=rates, min_prompt_tokens=start) for start, rates in sorted(tiers.items())))


@pytest.mark.parametrize("used", USAGES.values(), ids=list(USAGES))
@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_both_come_to_the_same_sum(provider: str, model: str, used: Usage) -> None:
    theirs = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=used.input_total, cache_read_tokens=used.cache_read or 0, output_tokens=used.output_total),
        model,
        provider_id=provider,
    )
    assert Decimal(price(used, pricing_of(theirs.model_price)).total) / 10**12 == theirs.total_price
