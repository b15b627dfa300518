"""The first page: what this server is, what it can reach, and how to call it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.pages import formats, snippets
from trunkline.pages.model_row import ModelRow, rows_of
from trunkline.pages.readiness import Readiness, readiness_of
from trunkline.protocol.catalogue import Endpoint, Model, Provider

_FEATURED = 6
_FEATURED_PER_AUTHOR = 2
_PROVIDERS = 9


class ProviderStop(Struct, frozen=True):
    """A provider, the number of models it serves here, and whether one of them can be called."""

    name: str
    href: str
    models: str
    readiness: Readiness


class HomeView(Struct, frozen=True):
    """The page. `example` is a model to try, None when the catalogue is empty; `example_works` says whether it can be called now;
    `local` whether the server is on the reader's own machine."""

    models: str
    callable_models: str
    providers: str
    tokens: str
    stops: tuple[ProviderStop, ...]
    more_stops: int
    featured: tuple[ModelRow, ...]
    example: str | None
    example_works: bool
    local: bool
    key_step: str
    request: str


def view(catalogue: Catalogue, tokens: Mapping[str, int], origin: str) -> HomeView:
    """The page for this catalogue; `tokens` are of the last seven days, by model id."""
    ranked = sorted(catalogue.models.values(), key=lambda model: _rank(catalogue, tokens, model))
    example = ranked[0].id if ranked else None
    available = sum(catalogue.available(model.id) for model in ranked)
    stops = _stops(catalogue)
    return HomeView(
        models=f"{len(ranked):,}",
        callable_models=f"{available:,}",
        providers=f"{len(stops):,}",
        tokens=formats.count(sum(tokens.values())),
        stops=stops[:_PROVIDERS],
        more_stops=max(0, len(stops) - _PROVIDERS),
        featured=rows_of(catalogue, _featured(catalogue, ranked), tokens),
        example=example,
        example_works=available > 0,
        local=snippets.is_local(origin),
        key_step=snippets.key_step(origin),
        request=snippets.curl(origin, example or "author/model"),
    )


def _rank(catalogue: Catalogue, tokens: Mapping[str, int], model: Model) -> tuple[object, ...]:
    """What can be called comes first, then what is used most, then what is newest."""
    return not catalogue.available(model.id), -tokens.get(model.id, 0), -model.created, model.id


def _featured(catalogue: Catalogue, ranked: Sequence[Model]) -> list[Model]:
    """The first models: ready ones before others, and of equals few of each author as long as there are more."""
    seen: Counter[str] = Counter()
    places: list[tuple[bool, bool, Model]] = []
    for model in ranked:
        seen[model.author] += 1
        places.append((not catalogue.available(model.id), seen[model.author] > _FEATURED_PER_AUTHOR, model))
    places.sort(key=lambda place: place[:2])
    return [model for *_, model in places[:_FEATURED]]


def _stops(catalogue: Catalogue) -> tuple[ProviderStop, ...]:
    """The providers that serve something, the ready ones first, then those with the most models."""
    served: dict[str, list[Endpoint]] = {}
    for endpoint in catalogue.endpoints.values():
        served.setdefault(endpoint.provider, []).append(endpoint)
    ranked = sorted(served, key=lambda slug: (not _callable(catalogue, served[slug]), -len(served[slug]), slug))
    return tuple(_stop(catalogue, catalogue.providers[slug], served[slug]) for slug in ranked)


def _callable(catalogue: Catalogue, endpoints: Sequence[Endpoint]) -> bool:
    return any(catalogue.is_available(endpoint) for endpoint in endpoints)


def _stop(catalogue: Catalogue, provider: Provider, endpoints: Sequence[Endpoint]) -> ProviderStop:
    shown = next((endpoint for endpoint in endpoints if catalogue.is_available(endpoint)), endpoints[0])
    return ProviderStop(
        name=provider.name,
        href=f"/models?{urlencode({'providers': provider.slug})}",
        models=formats.plural(len({endpoint.model for endpoint in endpoints}), "model"),
        readiness=readiness_of(catalogue, shown),
    )
