"""Filters, sorts and pages models: `GET /models` and the model list of the site (contract 5.13).

A filter on a figure that nobody has measured for a model leaves the model out; a sort puts it last.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from urllib.parse import urlencode

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.query import DEFAULT_LIMIT, ModelQuery
from trunkline.catalogue.statistics import UNMEASURED_MODEL, ModelStats
from trunkline.catalogue.views import View, model_view, parameters_of
from trunkline.protocol.catalogue import Endpoint, Model, Provider

_SECONDS_PER_DAY = 86_400
_PICO_PER_MILLION = 1_000_000
"""A price in pico-dollars a token, divided by this, is USD per million tokens."""


class Row(Struct, frozen=True):
    """A model with all that filters and sorts look at."""

    model: Model
    endpoints: tuple[Endpoint, ...]
    providers: tuple[Provider, ...]
    lead: Endpoint | None
    available: bool
    stats: ModelStats


class Page(Struct, frozen=True):
    """The models asked for. `total` counts all that match; `next_offset` is None on the last page."""

    models: tuple[Model, ...]
    total: int
    next_offset: int | None


def select(catalogue: Catalogue, query: ModelQuery, *, now: float, stats: Mapping[str, ModelStats], stand_ins: bool = False) -> Page:
    """The page of models that `query` asks for, newest first unless it names a sort. `now` is in Unix seconds, `stats` by model id.
    `stand_ins`: also the slugs that stand for other models, `~author/family-latest` and routers; routers come last."""
    rows = [row for row in _rows(catalogue, stats, stand_ins=stand_ins) if all(keeps(query, row, now) for keeps in _FILTERS)]
    rows.sort(key=lambda row: row.model.id)
    rows.sort(key=lambda row: (row.model.id not in catalogue.routers, row.model.created), reverse=True)
    if query.sort:
        rows = _sorted(rows, *_SORTS[query.sort])
    models = tuple(row.model for row in rows)
    if query.offset is None and query.limit is None:
        return Page(models=models, total=len(models), next_offset=None)
    start = query.offset or 0
    end = start + (query.limit or DEFAULT_LIMIT)
    return Page(models=models[start:end], total=len(models), next_offset=end if end < len(models) else None)


def models_view(catalogue: Catalogue, page: Page, path: str, params: Mapping[str, Sequence[str]]) -> View:
    """The answer of `GET /models`. `path` and `params` are those of the request; `links.next` repeats them with the next offset."""
    following = None
    if page.next_offset is not None:
        following = f"{path}?{urlencode({**params, 'offset': [str(page.next_offset)]}, doseq=True)}"
    return {"data": [model_view(catalogue, model) for model in page.models], "total_count": page.total, "links": {"next": following}}


def _rows(catalogue: Catalogue, stats: Mapping[str, ModelStats], *, stand_ins: bool) -> list[Row]:
    rows = []
    others = (catalogue.mirrors, catalogue.routers) if stand_ins else ()
    for model in chain(catalogue.models.values(), *(more.values() for more in others)):
        endpoints = catalogue.endpoints_of(model.id)
        providers = tuple(catalogue.providers[endpoint.provider] for endpoint in endpoints)
        measured = stats.get(model.id, UNMEASURED_MODEL)
        rows.append(Row(model, endpoints, providers, catalogue.headline(model.id), catalogue.available(model.id), measured))
    return rows


def _sorted(rows: list[Row], figure: Callable[[Row], float | None], sign: int) -> list[Row]:
    figures = [(figure(row), row) for row in rows]
    known = sorted(((value, row) for value, row in figures if value is not None), key=lambda pair: sign * pair[0])
    return [row for _, row in known] + [row for value, row in figures if value is None]


def _prompt_price(row: Row) -> float | None:
    return None if row.lead is None else row.lead.pricing.prompt / _PICO_PER_MILLION


def _output_price(row: Row) -> float | None:
    return None if row.lead is None else row.lead.pricing.completion / _PICO_PER_MILLION


def _average_price(row: Row) -> float | None:
    return None if row.lead is None else (row.lead.pricing.prompt + row.lead.pricing.completion) / 2


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _age_fits(query: ModelQuery, row: Row, now: float) -> bool:
    return _within((now - row.model.created) / _SECONDS_PER_DAY, query.min_age_days, query.max_age_days)


def _text_fits(query: ModelQuery, row: Row, _now: float) -> bool:
    text = f"{row.model.id} {row.model.name}".lower()
    return query.q is None or all(word in text for word in query.q.lower().split())


def _modalities_fit(query: ModelQuery, row: Row, _now: float) -> bool:
    """All of the inputs and any of the outputs."""
    if query.output_modalities is not None and not set(query.output_modalities) & set(row.model.output_modalities):
        return False
    return query.input_modalities is None or set(query.input_modalities) <= set(row.model.input_modalities)


def _parameters_fit(query: ModelQuery, row: Row, _now: float) -> bool:
    return query.supported_parameters is None or set(query.supported_parameters) <= set(parameters_of(row.endpoints))


def _providers_fit(query: ModelQuery, row: Row, _now: float) -> bool:
    if query.providers is None:
        return True
    wanted = {name.lower() for name in query.providers}
    return any(name.lower() in wanted for provider in row.providers for name in (provider.slug, provider.name))


def _region_fits(query: ModelQuery, row: Row, _now: float) -> bool:
    """Some endpoint is known to process prompts in the region; where both host and query name one, in each of them."""
    return all(any(one.region == region for one in row.endpoints) for region in query.regions)


def _authors_fit(query: ModelQuery, row: Row, _now: float) -> bool:
    return query.model_authors is None or row.model.author.lower() in {author.lower() for author in query.model_authors}


_FILTERS: tuple[Callable[[ModelQuery, Row, float], bool], ...] = (
    _text_fits,
    _modalities_fit,
    _parameters_fit,
    _providers_fit,
    _region_fits,
    _authors_fit,
    _age_fits,
    lambda query, row, _: query.category is None or query.category in row.stats.categories,
    lambda query, row, _: query.context is None or (row.model.context_length or 0) >= query.context,
    lambda query, row, _: query.arch is None or row.model.tokenizer.lower() == query.arch.lower(),
    lambda query, row, _: query.distillable is None or (row.model.distillable is True) == query.distillable,
    lambda query, row, _: query.zdr is None or any(endpoint.data_policy.zdr for endpoint in row.endpoints),
    lambda query, row, _: query.available is None or row.available == query.available,
    lambda query, row, _: _within(_prompt_price(row), query.min_price, query.max_price),
    lambda query, row, _: _within(_output_price(row), query.min_output_price, query.max_output_price),
    lambda query, row, _: _within(row.stats.intelligence_index, query.min_intelligence_index, query.max_intelligence_index),
    lambda query, row, _: _within(row.stats.coding_index, query.min_coding_index, query.max_coding_index),
    lambda query, row, _: _within(row.stats.agentic_index, query.min_agentic_index, query.max_agentic_index),
    lambda query, row, _: _within(row.stats.tool_success_rate, query.min_tool_success_rate, query.max_tool_success_rate),
)

_RISING, _FALLING = 1, -1
_SORTS: Mapping[str, tuple[Callable[[Row], float | None], int]] = {
    "most-popular": (lambda row: row.stats.tokens_total, _FALLING),
    "newest": (lambda row: row.model.created, _FALLING),
    "top-weekly": (lambda row: row.stats.tokens_week, _FALLING),
    "pricing-low-to-high": (_average_price, _RISING),
    "pricing-high-to-low": (_average_price, _FALLING),
    "context-high-to-low": (lambda row: row.model.context_length, _FALLING),
    "throughput-high-to-low": (lambda row: row.stats.throughput, _FALLING),
    "latency-low-to-high": (lambda row: row.stats.latency, _RISING),
    "intelligence-high-to-low": (lambda row: row.stats.intelligence_index, _FALLING),
    "coding-high-to-low": (lambda row: row.stats.coding_index, _FALLING),
    "agentic-high-to-low": (lambda row: row.stats.agentic_index, _FALLING),
    "design-arena-elo-high-to-low": (lambda row: row.stats.design_arena_elo, _FALLING),
}
