"""How the pages write prices, counts and dates: short, exact enough to compare, the same everywhere."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct

NOTHING = "\N{EN DASH}"
"""What stands where no source says anything."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SUFFIXES = ("", "K", "M", "B", "T", "Q")
_MILLION = 10**6
_THOUSAND = 10**3


class Day(Struct, frozen=True):
    """A date as machines (`2025-12-10`) and people (`Dec 10, 2025`) read it."""

    iso: str
    text: str


def count(value: int | None) -> str:
    """A count of tokens in at most three digits: `128K`, `1.05M`, `5.31B`. Thousands are 1000, not 1024."""
    if value is None:
        return NOTHING
    number, place = Decimal(value), 0
    while _rounded(number) >= 1000 and place < len(_SUFFIXES) - 1:
        number /= 1000
        place += 1
    return f"{_plain(_rounded(number))}{_SUFFIXES[place]}"


def per_million(pico: int | None) -> str:
    """A price of pico-dollars a token, as USD per million tokens: `$1.75`, `$14`, `$0.075`."""
    return NOTHING if pico is None else _dollars(pico * _MILLION)


def per_thousand(pico: int | None) -> str:
    """A price of pico-dollars each, as USD per thousand."""
    return NOTHING if pico is None else _dollars(pico * _THOUSAND)


def day_of(unix_seconds: int) -> Day:
    """The day of a moment, in UTC."""
    return _day(datetime.fromtimestamp(unix_seconds, UTC).date())


def day_of_iso(text: str) -> Day:
    """The day of a date as catalogues write it (`2026-08-10`, perhaps with a time after it). A text that is none stays as it is."""
    try:
        return _day(date.fromisoformat(text[:10]))
    except ValueError:
        return Day(iso=text, text=text)


def plural(number: int, noun: str) -> str:
    """`1 model`, `2 models`, `1,204 models`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _day(moment: date) -> Day:
    return Day(iso=moment.isoformat(), text=f"{_MONTHS[moment.month - 1]} {moment.day}, {moment.year}")


def _rounded(number: Decimal) -> Decimal:
    """Three significant digits below 1000, whole numbers above."""
    places = max(0, 2 - max(number.adjusted(), 0)) if number else 0
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _dollars(pico: int) -> str:
    """USD without needless zeros, but with two digits where there are cents."""
    text = _plain(Decimal(pico).scaleb(-12))
    whole, _, cents = text.partition(".")
    return f"${int(whole):,}.{cents.ljust(2, '0')}" if cents else f"${int(whole):,}"
