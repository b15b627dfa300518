import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.catalogue.prices import FREE, pricing_of, version
from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import PriceOverride, Pricing
from trunkline.protocol.money import usd_text

TABLE = {"prompt": "0.00000175", "completion": "0.000014", "input_cache_read": "0.000000175", "web_search": "0.01"}


def refused(table: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as caught:
        pricing_of(table, "endpoints[2].pricing")
    return str(caught.value)


def test_prices_are_pico_dollars() -> None:
    pricing = pricing_of(TABLE, "p")
    assert (pricing.prompt, pricing.completion) == (1_750_000, 14_000_000)
    assert (pricing.input_cache_read, pricing.web_search) == (175_000, 10_000_000_000)
    assert pricing.image is None
    assert pricing.request == 0


def test_overrides() -> None:
    table = {
        **TABLE,
        "overrides": [
            {"min_prompt_tokens": 200_000, "prompt": "0.000002"},
            {"utc_start": 2300, "utc_end": 100, "completion": "0.000001"},
        ],
    }
    assert pricing_of(table, "p").overrides == (
        PriceOverride(rates={"prompt": 2_000_000}, min_prompt_tokens=200_000),
        PriceOverride(rates={"completion": 1_000_000}, utc_start=2300, utc_end=100),
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"prompt": 0.000001}, "endpoints[2].pricing.prompt: a price is text"),
        ({"prompt": "-1"}, "endpoints[2].pricing.prompt: '-1' is not between 0"),
        ({"prompt": "cheap"}, "endpoints[2].pricing.prompt: 'cheap' is not a decimal number"),
        ({"prompt": "NaN"}, "endpoints[2].pricing.prompt: 'NaN' is not between"),
        ({"prompt": "0.0000000000001"}, "finer than a pico-dollar"),
        ({"promt": "1"}, "endpoints[2].pricing.promt: there is no such key. Write instead: prompt"),
        ({"overrides": {}}, "endpoints[2].pricing.overrides: not a list of tables"),
        ({"overrides": ["x"]}, "endpoints[2].pricing.overrides[0]: not a table"),
        ({"overrides": [{"prompt": "1"}]}, "overrides[0]: it has no condition"),
        ({"overrides": [{"min_prompt_tokens": 5}]}, "overrides[0]: it changes no price"),
        ({"overrides": [{"min_prompt_tokens": -5, "prompt": "1"}]}, "overrides[0].min_prompt_tokens: not a number of tokens"),
        ({"overrides": [{"min_prompt_tokens": True, "prompt": "1"}]}, "overrides[0].min_prompt_tokens: not a number of tokens"),
        ({"overrides": [{"utc_start": 100, "prompt": "1"}]}, "overrides[0].utc_end: not a time of day"),
        ({"overrides": [{"utc_start": 1260, "utc_end": 1300, "prompt": "1"}]}, "overrides[0].utc_start: not a time of day"),
        ({"overrides": [{"utc_start": 100, "utc_end": 200, "request": "1"}]}, "overrides[0].request: there is no such key"),
    ],
)
def test_mistakes_are_named(change: dict[str, object], expected: str) -> None:
    assert expected in refused({**TABLE, **change})


@pytest.mark.parametrize("key", ["prompt", "completion"])
def test_both_token_prices_are_needed(key: str) -> None:
    assert f"endpoints[2].pricing.{key}: missing" in refused({name: price for name, price in TABLE.items() if name != key})


@given(prompt=st.integers(0, 10**15), completion=st.integers(0, 10**15))
def test_a_price_survives_the_way_to_text_and_back(prompt: int, completion: int) -> None:
    pricing = pricing_of({"prompt": usd_text(prompt), "completion": usd_text(completion)}, "p")
    assert (pricing.prompt, pricing.completion) == (prompt, completion)


def test_versions_name_price_lists() -> None:
    assert version(Pricing(prompt=1)) == version(Pricing(prompt=1))
    assert len({version(FREE), version(Pricing(prompt=1)), version(Pricing(completion=1)), version(Pricing(input_cache_read=0))}) == 4
    assert version(Pricing(overrides=(PriceOverride({"a": 1, "b": 2}),))) == version(Pricing(overrides=(PriceOverride({"b": 2, "a": 1}),)))
