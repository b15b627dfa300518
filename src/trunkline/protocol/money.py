"""Money is integer pico-dollars (1e-12 USD); text and floats exist only at the edges.

A price of $2.50 per million tokens is 2_500_000 pico-dollars a token, so `cost = tokens * price` is exact.
"""

from decimal import Decimal, InvalidOperation

PICO_PER_USD = 10**12
MAX_USD = 10**9


def parse_usd(text: str) -> int:
    """Pico-dollars of a decimal string of USD, as prices are written in catalogues.

    Raises ValueError for text that is no plain number, is negative, is finer than a pico-dollar, or exceeds a billion dollars.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal number of USD") from None
    if not value.is_finite() or value < 0 or value > MAX_USD:
        raise ValueError(f"{text!r} is not between 0 and {MAX_USD} USD")
    pico = value * PICO_PER_USD
    if pico != pico.to_integral_value():
        raise ValueError(f"{text!r} is finer than a pico-dollar (1e-12 USD)")
    return int(pico)


def round_usd(value: float) -> int:
    """The nearest pico-dollars of a JSON number of USD (a key's limit, an upstream's own cost)."""
    return int((Decimal(repr(value)) * PICO_PER_USD).to_integral_value())


def usd(pico: int) -> float:
    """USD as a JSON number; the division is correctly rounded, so equal amounts give equal text."""
    return pico / PICO_PER_USD


def usd_text(pico: int) -> str:
    """USD as a decimal string without exponent or trailing zeros, as OpenRouter writes prices (`"0.00000175"`)."""
    text = f"{Decimal(pico).scaleb(-12):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
