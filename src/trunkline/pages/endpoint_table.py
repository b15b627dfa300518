"""Who serves a model: one row for each endpoint, with its limits, prices, data policy, and whether it can be called."""

from collections.abc import Callable

from msgspec import Struct, structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.pages import formats
from trunkline.pages.readiness import Readiness, readiness_of
from trunkline.protocol.catalogue import DataPolicy, Endpoint, PriceOverride, Pricing


class Tier(Struct, frozen=True):
    """Prices per million tokens. `when` is empty for the base and names the conditions of an override."""

    when: str
    input_price: str
    output_price: str
    cache_read: str
    cache_write: str


class EndpointRow(Struct, frozen=True):
    """One endpoint. `extras` are prices besides the table's columns."""

    provider: str
    tag: str
    quantization: str
    context: str
    max_output: str
    tiers: tuple[Tier, ...]
    extras: tuple[str, ...]
    policy: str
    readiness: Readiness


_EXTRAS: tuple[tuple[str, str, Callable[[int | None], str]], ...] = (
    ("input_cache_write_1h", "cache write for an hour {} per 1M", formats.per_million),
    ("internal_reasoning", "reasoning {} per 1M", formats.per_million),
    ("audio", "audio in {} per 1M", formats.per_million),
    ("input_audio_cache", "cached audio {} per 1M", formats.per_million),
    ("audio_output", "audio out {} per 1M", formats.per_million),
    ("image", "images in {} per 1M", formats.per_million),
    ("image_output", "images out {} per 1M", formats.per_million),
    ("web_search", "web search {} per 1K", formats.per_thousand),
    ("request", "{} per 1K requests", formats.per_thousand),
)


def rows_of(catalogue: Catalogue, model_id: str) -> tuple[EndpointRow, ...]:
    """The endpoints of a model: what can be called first, then by price, which routing prefers."""
    endpoints = sorted(
        catalogue.endpoints_of(model_id),
        key=lambda endpoint: (not catalogue.is_available(endpoint), endpoint.pricing.prompt + endpoint.pricing.completion),
    )
    context = catalogue.models[model_id].context_length
    return tuple(_row(catalogue, endpoint, context) for endpoint in endpoints)


def policy_text(policy: DataPolicy) -> str:
    """What happens to prompts. The default of a policy that nobody stated is the cautious one, and reads so."""
    if policy.zdr or (policy.retention_days == 0 and not policy.training):
        return "Nothing kept"
    if policy.training:
        return "May keep and train"
    if policy.retention_days is None:
        return "Not trained on"
    return f"Kept {formats.plural(policy.retention_days, 'day')}, not trained on"


def _row(catalogue: Catalogue, endpoint: Endpoint, context: int | None) -> EndpointRow:
    return EndpointRow(
        provider=endpoint.provider_name,
        tag=endpoint.tag,
        quantization=endpoint.quantization or formats.NOTHING,
        context=formats.count(endpoint.context_length or context),
        max_output=formats.count(endpoint.max_completion_tokens),
        tiers=(_tier("", endpoint.pricing), *(_override(endpoint.pricing, override) for override in endpoint.pricing.overrides)),
        extras=_extras(endpoint.pricing),
        policy=policy_text(endpoint.data_policy),
        readiness=readiness_of(catalogue, endpoint),
    )


def _tier(when: str, pricing: Pricing) -> Tier:
    return Tier(
        when=when,
        input_price=formats.per_million(pricing.prompt),
        output_price=formats.per_million(pricing.completion),
        cache_read=formats.per_million(pricing.input_cache_read),
        cache_write=formats.per_million(pricing.input_cache_write),
    )


def _override(pricing: Pricing, override: PriceOverride) -> Tier:
    rates = {name: rate for name, rate in override.rates.items() if name in Pricing.__struct_fields__}
    return _tier(_conditions(override), structs.replace(pricing, **rates))


def _conditions(override: PriceOverride) -> str:
    parts = []
    if override.min_prompt_tokens is not None:
        parts.append(f"above {formats.count(override.min_prompt_tokens)} in")
    if override.utc_start is not None or override.utc_end is not None:
        end = 2400 if override.utc_end is None else override.utc_end
        parts.append(f"{_clock(override.utc_start or 0)} to {_clock(end)} UTC")
    return ", ".join(parts)


def _clock(hhmm: int) -> str:
    return f"{hhmm // 100:02}:{hhmm % 100:02}"


def _extras(pricing: Pricing) -> tuple[str, ...]:
    """The rates that are named and cost something."""
    return tuple(text.format(write(getattr(pricing, name))) for name, text, write in _EXTRAS if getattr(pricing, name))
