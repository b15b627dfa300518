"""Money: decimal text to pico-dollars and back, without loss."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.protocol.money import PICO_PER_USD, parse_usd, round_usd, usd, usd_text


@pytest.mark.parametrize(("text", "pico"), [("0.00000175", 1_750_000), ("0", 0), ("14", 14 * PICO_PER_USD), ("1e-12", 1)])
def test_prices_are_exact(text: str, pico: int) -> None:
    assert parse_usd(text) == pico


@pytest.mark.parametrize("text", ["", "one", "-1", "NaN", "Infinity", "1e-13", "1e10", "0x10"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="USD"):
        parse_usd(text)


@given(st.integers(min_value=0, max_value=10**9 * PICO_PER_USD))
def test_text_and_back(pico: int) -> None:
    text = usd_text(pico)
    assert parse_usd(text) == pico
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))


@given(st.integers(min_value=0, max_value=10**15))
def test_json_number_is_the_nearest_float(pico: int) -> None:
    assert usd(pico) == float(Decimal(pico) / PICO_PER_USD)
    assert round_usd(usd(pico)) == pico
