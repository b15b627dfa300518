"""Reads models.dev's `api.json`: the vendors' own prices and limits, for those of our providers that it knows."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from trunkline.catalogue.feeds import Feed, Listed, Name, Tokens, Words, decode, rate
from trunkline.protocol.catalogue import Provider

_PER_MILLION = 10**6
_KEYS = {"input": "prompt", "output": "completion", "cache_read": "input_cache_read", "cache_write": "input_cache_write"}

Usd = Annotated[float, Meta(ge=0, le=10**9)]


class Cost(Struct, frozen=True):
    """USD a million tokens."""

    input: Usd
    output: Usd
    cache_read: Usd | None = None
    cache_write: Usd | None = None


class Limit(Struct, frozen=True):
    context: Tokens | None = None
    output: Tokens | None = None


class VendorModel(Struct, frozen=True):
    """Without a cost, the vendor's price is not known."""

    cost: Cost | None = None
    limit: Limit = Limit()


class Vendor(Struct, frozen=True):
    models: Annotated[dict[Name, VendorModel], Meta(max_length=20_000)]
    api: Annotated[str, Meta(max_length=2048)] | None = None
    env: Words = ()


def read(text: bytes, source: str, providers: Iterable[Provider]) -> Feed:
    """The list, for those of `providers` that are in it. Raises ConfigError naming the place in `source`."""
    vendors = decode(text, dict[str, Vendor], source)
    rows: dict[tuple[str, str], Listed] = {}
    known = set()
    for provider in providers:
        for vendor in _vendors_of(provider, vendors):
            known.add(provider.slug)
            rows |= _rows(provider, vendor, source)
    return Feed(source=source, providers=frozenset(known), rows=rows)


def _vendors_of(provider: Provider, vendors: Mapping[str, Vendor]) -> list[Vendor]:
    """The vendor with our slug, else those with our address, else the only one with our key variable."""
    if provider.slug in vendors:
        return [vendors[provider.slug]]
    here = [vendor for vendor in vendors.values() if vendor.api and vendor.api.rstrip("/") == provider.base_url]
    named = [vendor for vendor in vendors.values() if provider.auth.source.removeprefix("env:") in vendor.env]
    return here or (named if len(named) == 1 else [])


def _rows(provider: Provider, vendor: Vendor, source: str) -> dict[tuple[str, str], Listed]:
    rows = {}
    for name, model in vendor.models.items():
        upstream = name if name.startswith(provider.model_prefix) else provider.model_prefix + name
        prices = {ours: getattr(model.cost, theirs, None) for theirs, ours in _KEYS.items()}
        rows[provider.slug, upstream] = Listed(
            provider=provider.slug,
            upstream_model=upstream,
            rates={key: rate(usd, f"{source}: {name}", per=_PER_MILLION) for key, usd in prices.items() if usd is not None},
            context_length=model.limit.context or None,
            max_completion_tokens=model.limit.output or None,
        )
    return rows
