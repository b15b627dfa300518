"""What a list says differently from the catalogue: as lines to show, and as tables that make the catalogue agree. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct, structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.entries import endpoint_id
from trunkline.catalogue.feeds import Feed, Listed
from trunkline.catalogue.views import pricing_view
from trunkline.protocol.catalogue import Endpoint, Model, PriceOverride, Pricing
from trunkline.protocol.money import usd_text

_NO_RATES = {name: getattr(Pricing(), name) for name in Pricing.__struct_fields__ if name not in ("overrides", "request")}
"""What a complete list means by a rate that it leaves out. A price for each request is left out even where there is one."""

Kind = Literal["added", "removed", "changed"]
Table = dict[str, object]

_MODEL_FACTS = ("name", "context_length", "expiration_date")
"""What may change about a known model. Its description stays ours."""


class Difference(Struct, frozen=True):
    """One line. `subject` is the endpoint's id, `fact` what differs (`price.prompt`, `context_length`), empty for added and removed."""

    kind: Kind
    subject: str
    fact: str = ""
    old: str = ""
    new: str = ""


class PriceChange(Struct, frozen=True):
    """An endpoint whose price is another now; the views are those of the API (decimal strings of USD a unit)."""

    endpoint: str
    old: dict[str, object]
    new: dict[str, object]


def compare(catalogue: Catalogue, feed: Feed) -> list[Difference]:
    """Every difference between the endpoints of the list's providers and the list, added ones first."""
    known = _known(catalogue, feed)
    added = [Difference("added", endpoint_id(name, provider)) for (provider, name), row in feed.rows.items() if _is_new(row, known)]
    removed = [Difference("removed", endpoint.id) for key, endpoint in known.items() if key not in feed.rows]
    changed = [line for key, endpoint in known.items() if key in feed.rows for line in _changes(catalogue, endpoint, feed, feed.rows[key])]
    return [*added, *removed, *changed]


def price_changes(catalogue: Catalogue, feed: Feed) -> list[PriceChange]:
    """The endpoints whose price changes."""
    found = []
    for key, endpoint in _known(catalogue, feed).items():
        new = pricing_of(endpoint.pricing, feed.rows[key], complete=feed.complete) if key in feed.rows else endpoint.pricing
        if new != endpoint.pricing:
            found.append(PriceChange(endpoint.id, pricing_view(endpoint.pricing), pricing_view(new)))
    return found


def tables(catalogue: Catalogue, feed: Feed) -> tuple[list[Table], list[Table]]:
    """The `[[models]]` and `[[endpoints]]` tables that, on top of `catalogue`, make it say what the list says.

    Endpoints that the list lacks stay as they are: a list may be incomplete, and others may serve the model.
    """
    known = _known(catalogue, feed)
    models: list[Table] = []
    endpoints: list[Table] = []
    for key, row in feed.rows.items():
        endpoint = known.get(key)
        if endpoint is None and row.model is not None:
            models.append(dict(row.model) if row.upstream_model not in catalogue.models else {"id": row.upstream_model})
            endpoints.append(_endpoint_table(row.upstream_model, row, Pricing(), feed))
        elif endpoint is not None and any(True for _ in _changes(catalogue, endpoint, feed, row)):
            models.append(_model_table(catalogue.models[endpoint.model], row))
            endpoints.append(_endpoint_table(endpoint.model, row, endpoint.pricing, feed, tag=endpoint.tag))
    return models, endpoints


def pricing_of(before: Pricing, row: Listed, *, complete: bool) -> Pricing:
    """The price that the list gives. Overrides that it does not speak of stay while no other rate changes: most lists know no tiers."""
    rates = {name: getattr(before, name) for name in before.__struct_fields__ if name != "overrides"}
    new = {**rates, **(_NO_RATES if complete else {}), **row.rates}
    if row.overrides is not None:
        return Pricing(**new, overrides=tuple(_override(item) for item in row.overrides))
    return Pricing(**new, overrides=before.overrides if new == rates else ())


def _override(item: Mapping[str, object]) -> PriceOverride:
    conditions = {key: value for key, value in item.items() if key in PriceOverride.__struct_fields__}
    rates = {key: value for key, value in item.items() if key not in conditions}
    return PriceOverride(rates=rates, **conditions)  # type: ignore[arg-type]


def _known(catalogue: Catalogue, feed: Feed) -> dict[tuple[str, str], Endpoint]:
    return {
        (endpoint.provider, endpoint.upstream_model): endpoint
        for endpoint in catalogue.endpoints.values()
        if endpoint.provider in feed.providers
    }


def _is_new(row: Listed, known: Mapping[tuple[str, str], Endpoint]) -> bool:
    return row.model is not None and (row.provider, row.upstream_model) not in known


def _changes(catalogue: Catalogue, endpoint: Endpoint, feed: Feed, row: Listed) -> Iterator[Difference]:
    yield from _price_lines(endpoint, pricing_of(endpoint.pricing, row, complete=feed.complete))
    model = catalogue.models[endpoint.model]
    old: dict[str, object] = {
        "context_length": endpoint.context_length or model.context_length,
        "max_completion_tokens": endpoint.max_completion_tokens,
        "supported_parameters": _names(endpoint.supported_parameters),
        **{f"model.{key}": getattr(model, key) for key in _MODEL_FACTS},
    }
    new: dict[str, object] = {
        "context_length": row.context_length,
        "max_completion_tokens": row.max_completion_tokens,
        "supported_parameters": _names(row.supported_parameters),
        **{f"model.{key}": (row.model or {}).get(key) for key in _MODEL_FACTS},
    }
    for fact, value in new.items():
        if value is not None and value != old[fact]:
            yield Difference("changed", endpoint.id, fact, _text(old[fact]), _text(value))


def _price_lines(endpoint: Endpoint, new: Pricing) -> Iterator[Difference]:
    before, after = pricing_view(endpoint.pricing), pricing_view(new)
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            yield Difference("changed", endpoint.id, f"price.{key}", _text(before.get(key)), _text(after.get(key)))


def _names(names: Iterable[str] | None) -> str | None:
    return None if names is None else " ".join(sorted(names))


def _text(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} tiers"
    return "" if value is None else str(value)


def _model_table(model: Model, row: Listed) -> Table:
    facts = {key: value for key, value in (row.model or {}).items() if key in _MODEL_FACTS and value != getattr(model, key)}
    return {"id": model.id, "name": model.name, **facts}


def _endpoint_table(model: str, row: Listed, before: Pricing, feed: Feed, *, tag: str = "") -> Table:
    table: Table = {"model": model, "provider": row.provider}
    if tag and tag != row.provider:
        table["tag"] = tag
    table |= {"upstream_model": row.upstream_model, "pricing": _price_table(pricing_of(before, row, complete=feed.complete))}
    for key in ("context_length", "max_completion_tokens", "supported_parameters"):
        if getattr(row, key) is not None:
            table[key] = getattr(row, key)
    return table


def _price_table(pricing: Pricing) -> Table:
    table: Table = {name: usd_text(rate) for name, rate in structs.asdict(pricing).items() if name != "overrides" and rate is not None}
    if pricing.overrides:
        table["overrides"] = [_override_table(item) for item in pricing.overrides]
    return table


def _override_table(item: PriceOverride) -> Table:
    conditions = {key: value for key, value in structs.asdict(item).items() if key != "rates" and value is not None}
    return conditions | {key: usd_text(rate) for key, rate in item.rates.items()}
