from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.metering.cost import MAX_COST, cache_discount, estimate, insure, price
from trunkline.protocol.catalogue import PriceOverride, Pricing
from trunkline.protocol.money import parse_usd
from trunkline.protocol.usage import Cost, Usage

M = Decimal(1_000_000)


def usd(**rates: str) -> dict[str, int]:
    """Rates from dollars a million tokens, as price pages write them."""
    return {name: int(Decimal(rate) * M) for name, rate in rates.items()}


GPT = Pricing(**usd(prompt="2.50", completion="10", input_cache_read="0.25"))
CLAUDE = Pricing(
    **usd(prompt="3", completion="15", input_cache_read="0.30", input_cache_write="3.75"),
    overrides=(PriceOverride(rates=usd(prompt="6", completion="22.5", input_cache_read="0.60"), min_prompt_tokens=200_000),),
)
CLAUDE_1H = Pricing(**usd(prompt="3", completion="15", input_cache_write="3.75", input_cache_write_1h="7"))
AUDIO = Pricing(**usd(prompt="2.5", completion="10", audio="40", audio_output="80", image_output="30"))
SEARCH = Pricing(**usd(prompt="2", completion="8", internal_reasoning="3"), web_search=parse_usd("0.005"), request=parse_usd("0.01"))
NIGHT = Pricing(
    **usd(prompt="1", completion="2"),
    overrides=(
        PriceOverride(rates=usd(prompt="0.5"), utc_start=1630, utc_end=30),
        PriceOverride(rates=usd(prompt="4", completion="8"), min_prompt_tokens=1000, utc_start=1630, utc_end=30),
    ),
)

# usage, pricing, time; the expected cost is written as on paper: tokens x dollars a million tokens.
GOLDEN = {
    "plain": (Usage(input_total=1000, output_total=500), GPT, 0, 1000 * Decimal("2.50") / M + 500 * 10 / M),
    "cached tokens count once": (
        Usage(input_total=1000, output_total=500, cache_read=800),
        GPT,
        0,
        200 * Decimal("2.50") / M + 800 * Decimal("0.25") / M + 500 * 10 / M,
    ),
    "reasoning is inside the output": (Usage(input_total=0, output_total=500, reasoning=400), GPT, 0, 500 * 10 / M),
    "5m write": (
        Usage(input_total=1000, cache_read=500, cache_write_5m=400),
        CLAUDE,
        0,
        100 * 3 / M + 500 * Decimal("0.30") / M + 400 * Decimal("3.75") / M,
    ),
    "1h write, own rate": (Usage(input_total=1000, cache_write_1h=400), CLAUDE_1H, 0, 600 * 3 / M + 400 * 7 / M),
    "1h write, no rate: twice the prompt": (Usage(input_total=1000, cache_write_1h=400), CLAUDE, 0, 600 * 3 / M + 400 * 6 / M),
    "no cache rates: prompt rate": (Usage(input_total=1000, cache_read=400, cache_write_5m=400), AUDIO, 0, 1000 * Decimal("2.5") / M),
    "at the cliff": (Usage(input_total=200_000, output_total=10), CLAUDE, 0, 200_000 * 3 / M + 10 * 15 / M),
    "over the cliff all tokens": (
        Usage(input_total=200_001, output_total=10, cache_read=1, cache_write_5m=100_000),
        CLAUDE,
        0,
        100_000 * 6 / M + 1 * Decimal("0.60") / M + 100_000 * Decimal("3.75") / M + 10 * Decimal("22.5") / M,
    ),
    "audio and images": (
        Usage(input_total=100, output_total=100, input_audio=60, input_image=20, output_audio=50, output_image=10),
        AUDIO,
        0,
        40 * Decimal("2.5") / M + 60 * 40 / M + 40 * 10 / M + 50 * 80 / M + 10 * 30 / M,
    ),
    "cached audio takes the cache rate": (
        Usage(input_total=100, cache_read=70, input_audio=100),
        Pricing(**usd(prompt="1", completion="1", input_cache_read="0.1", audio="10")),
        0,
        70 * Decimal("0.1") / M + 30 * 10 / M,
    ),
    "searches, request, reasoning rate": (
        Usage(input_total=10, output_total=100, reasoning=60, web_searches=3),
        SEARCH,
        0,
        10 * 2 / M + 40 * 8 / M + 60 * 3 / M + 3 * Decimal("0.005") + Decimal("0.01"),
    ),
    "before the window": (Usage(input_total=100, output_total=100), NIGHT, 1629, 100 * 1 / M + 100 * 2 / M),
    "window opens": (Usage(input_total=100, output_total=100), NIGHT, 1630, 100 * Decimal("0.5") / M + 100 * 2 / M),
    "window over midnight": (Usage(input_total=100, output_total=100), NIGHT, 29, 100 * Decimal("0.5") / M + 100 * 2 / M),
    "window closes": (Usage(input_total=100, output_total=100), NIGHT, 30, 100 * 1 / M + 100 * 2 / M),
    "later override wins": (Usage(input_total=1001, output_total=100), NIGHT, 2359, 1001 * 4 / M + 100 * 8 / M),
    "all conditions must hold": (Usage(input_total=1001, output_total=100), NIGHT, 1200, 1001 * 1 / M + 100 * 2 / M),
    "free": (Usage(input_total=10**6, output_total=10**6, cache_write_1h=5), Pricing(), 0, Decimal(0)),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    usage, pricing, hhmm, expected = GOLDEN[name]
    assert price(usage, pricing, utc_hhmm=hhmm).total == expected * 10**12


def test_parts_are_what_tokens_cost() -> None:
    cost = price(Usage(input_total=10, output_total=100, web_searches=1), SEARCH)
    assert cost.prompt == 10 * 2 * 10**6
    assert cost.completion == 100 * 8 * 10**6
    assert cost.total == cost.prompt + cost.completion + parse_usd("0.005") + parse_usd("0.01")


def test_unknown_rates_of_an_override_are_ignored() -> None:
    pricing = Pricing(prompt=1, overrides=(PriceOverride(rates={"voice": 9, "overrides": 1, "prompt": 2}),))
    assert price(Usage(input_total=10), pricing).total == 20


def test_nonsense_is_bounded_to_what_a_column_holds() -> None:
    cost = price(Usage(input_total=2**31 - 1, output_total=2**31 - 1), Pricing(prompt=10**21, completion=10**21, request=10**21))
    assert cost == Cost(total=MAX_COST, prompt=MAX_COST, completion=MAX_COST)


counts = st.integers(0, 10**6)
parts = st.none() | counts
rates = st.integers(0, 10**9)
pricings = st.builds(
    Pricing,
    prompt=rates,
    completion=rates,
    request=rates,
    audio=st.none() | rates,
    image=st.none() | rates,
    input_cache_read=st.none() | rates,
    input_cache_write=st.none() | rates,
    input_cache_write_1h=st.none() | rates,
    internal_reasoning=st.none() | rates,
)
usages = st.builds(
    Usage,
    input_total=counts,
    output_total=counts,
    cache_read=parts,
    cache_write_5m=parts,
    cache_write_1h=parts,
    input_audio=parts,
    input_image=parts,
    reasoning=parts,
    output_audio=parts,
    web_searches=st.integers(0, 50),
)


@given(usages, pricings, counts, counts)
def test_never_negative_and_more_tokens_never_cost_less(usage: Usage, pricing: Pricing, more_in: int, more_out: int) -> None:
    from msgspec.structs import replace

    less = price(usage, pricing)
    more = price(replace(usage, input_total=usage.input_total + more_in, output_total=usage.output_total + more_out), pricing)
    assert 0 <= less.prompt + less.completion <= less.total <= more.total


@given(usages, rates)
def test_one_rate_for_everything_prices_each_token_once(usage: Usage, rate: int) -> None:
    pricing = Pricing(
        prompt=rate, completion=rate, audio=rate, image=rate, input_cache_read=rate, input_cache_write=rate, input_cache_write_1h=rate
    )
    assert price(usage, pricing).total == (usage.input_total + usage.output_total) * rate


def test_estimate_is_the_price_without_cache() -> None:
    assert estimate(GPT, 1000, 500) == price(Usage(input_total=1000, output_total=500), GPT).total
    assert estimate(CLAUDE, 200_001, 1) == price(Usage(input_total=200_001, output_total=1), CLAUDE).total
    assert estimate(Pricing(), 10**6, 10**6) == 0


def test_estimate_takes_the_dearer_side_of_a_time_window() -> None:
    assert estimate(NIGHT, 100, 100) == price(Usage(input_total=100, output_total=100), NIGHT, utc_hhmm=1200).total
    assert estimate(NIGHT, 2000, 100) == price(Usage(input_total=2000, output_total=100), NIGHT, utc_hhmm=1700).total


@pytest.mark.parametrize(
    ("output_tokens", "reason", "insured"),
    [(0, None, True), (0, "", True), (0, "stop", False), (5, None, False), (5, "error", True), (0, "error", True)],
)
def test_zero_completion_insurance(output_tokens: int, reason: str | None, insured: bool) -> None:
    cost = Cost(total=111, prompt=1, completion=10)
    expected = Cost(total=100) if insured else cost
    assert insure(cost, output_tokens=output_tokens, finish_reason=reason) == expected


def test_cache_discount_is_positive_for_reads_negative_for_writes_none_without() -> None:
    assert cache_discount(Usage(input_total=1000, cache_read=800), GPT) == 800 * 2_250_000
    assert cache_discount(Usage(input_total=1000, cache_write_5m=800), CLAUDE) == -800 * 750_000
    assert cache_discount(Usage(input_total=1000), GPT) is None


@given(usages, pricings)
def test_the_discount_is_the_difference_of_two_prices(usage: Usage, pricing: Pricing) -> None:
    from msgspec.structs import replace

    plain = replace(usage, cache_read=None, cache_write_5m=None, cache_write_1h=None)
    known = (usage.cache_read, usage.cache_write_5m, usage.cache_write_1h) != (None, None, None)
    expected = price(plain, pricing).prompt - price(usage, pricing).prompt if known else None
    assert cache_discount(usage, pricing) == expected
