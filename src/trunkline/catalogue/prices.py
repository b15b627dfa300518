"""Prices as written in TOML (USD per unit, decimal strings) to pico-dollars, and the version of a price list."""

import hashlib
from collections.abc import Mapping

import msgspec

from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import PriceOverride, Pricing
from trunkline.protocol.money import parse_usd
from trunkline.providers.tables import Table, key_path, suggest

CONDITIONS = ("min_prompt_tokens", "utc_start", "utc_end")
_RATES = tuple(name for name in Pricing.__struct_fields__ if name != "overrides")
OVERRIDABLE = ("prompt", "completion", "audio", "input_audio_cache", "input_cache_read", "input_cache_write", "input_cache_write_1h")
"""The conditions of an override, and the prices that it can replace."""

FREE = Pricing()
"""The price list of what costs nothing."""


def pricing_of(table: Table, where: str) -> Pricing:
    """The price list in `table`. Raises ConfigError naming the key."""
    _check_keys(table, (*_RATES, "overrides"), where)
    for key in ("prompt", "completion"):
        if key not in table:
            raise ConfigError(key_path(where, key), "missing", f'{key} = "0.000001" (USD per token; "0" when it costs nothing)')
    overrides = table.get("overrides", [])
    if not isinstance(overrides, list):
        raise ConfigError(
            key_path(where, "overrides"), "not a list of tables", 'overrides = [{ min_prompt_tokens = 200000, prompt = "0.000002" }]'
        )
    rates = _rates(table, _RATES, where)
    return Pricing(**rates, overrides=tuple(_override(item, f"{where}.overrides[{index}]") for index, item in enumerate(overrides)))


def version(pricing: Pricing) -> str:
    """A short name of this price list: equal lists have equal names."""
    return hashlib.sha256(msgspec.json.encode(pricing, order="deterministic")).hexdigest()[:12]


def _rates(table: Table, names: tuple[str, ...], where: str) -> dict[str, int]:
    return {name: _rate(table[name], key_path(where, name)) for name in names if name in table}


def _rate(value: object, where: str) -> int:
    if not isinstance(value, str):
        raise ConfigError(where, "a price is text, so that no digit is lost", '"0.000001" (USD per token, in quotes)')
    try:
        return parse_usd(value)
    except ValueError as error:
        raise ConfigError(where, str(error), '"0.000001" (USD per token: $1 per million tokens)') from None


def _override(item: object, where: str) -> PriceOverride:
    if not isinstance(item, dict):
        raise ConfigError(where, "not a table", '{ min_prompt_tokens = 200000, prompt = "0.000002" }')
    _check_keys(item, (*CONDITIONS, *OVERRIDABLE), where)
    rates = _rates(item, OVERRIDABLE, where)
    if not rates:
        raise ConfigError(where, "it changes no price", 'a price beside the condition, such as prompt = "0.000002"')
    window = _window(item, where)
    minimum = item.get("min_prompt_tokens")
    if minimum is None and window is None:
        raise ConfigError(where, "it has no condition", "min_prompt_tokens, or utc_start with utc_end")
    if minimum is not None and (not isinstance(minimum, int) or isinstance(minimum, bool) or minimum < 0):
        raise ConfigError(key_path(where, "min_prompt_tokens"), "not a number of tokens", "200000")
    start, end = window or (None, None)
    return PriceOverride(rates=rates, min_prompt_tokens=minimum, utc_start=start, utc_end=end)


def _window(item: Mapping[str, object], where: str) -> tuple[int, int] | None:
    if "utc_start" not in item and "utc_end" not in item:
        return None
    return _clock(item.get("utc_start"), key_path(where, "utc_start")), _clock(item.get("utc_end"), key_path(where, "utc_end"))


def _clock(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2400 or value % 100 >= 60:
        raise ConfigError(where, "not a time of day in UTC (both ends are needed)", "HHMM without leading zeros, such as 30 or 1630")
    return value


def _check_keys(table: Table, known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(key_path(where, key), "there is no such key", suggest(key, known))
