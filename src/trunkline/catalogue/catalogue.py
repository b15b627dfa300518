"""The catalogue in force: immutable, and replaced as a whole on reload."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct, structs

from trunkline.catalogue import router_rows, slugs
from trunkline.protocol.catalogue import Endpoint, Model, Provider


class Resolved(Struct, frozen=True):
    """What a slug stands for. `endpoints` are the available ones; `variants` the dynamic suffixes (`nitro`, `floor`, `exacto`, `online`) in
    the caller's order; `requested` is the slug as the caller wrote it."""

    model: Model
    endpoints: tuple[Endpoint, ...]
    variants: tuple[str, ...]
    requested: str


class Catalogue:
    """Models, their endpoints and providers, and which of them can be called now.

    `missing` names for each endpoint id the environment variables that must be set before it can be called; endpoints without an entry are
    available. `offline` are endpoint ids that no variable can make available (the local model, switched off).

    `mirrors` are rows for lists: one for each `~author/family-latest`, with the facts of the model that it stands for now, by whose
    endpoints `endpoints_of` and the like answer for it. `routers` are rows too, without endpoints.
    """

    def __init__(
        self,
        *,
        models: Iterable[Model],
        endpoints: Iterable[Endpoint],
        providers: Mapping[str, Provider],
        authors: Mapping[str, str],
        missing: Mapping[str, tuple[str, ...]],
        offline: frozenset[str] = frozenset(),
    ) -> None:
        self.models: Mapping[str, Model] = MappingProxyType({model.id: model for model in models})
        self.providers: Mapping[str, Provider] = MappingProxyType(dict(providers))
        self.endpoints: Mapping[str, Endpoint] = MappingProxyType({endpoint.id: endpoint for endpoint in endpoints})
        self._authors = dict(authors)
        self._missing = dict(missing)
        self._offline = offline
        self._by_model: dict[str, tuple[Endpoint, ...]] = dict.fromkeys(self.models, ())
        for endpoint in self.endpoints.values():
            self._by_model[endpoint.model] += (endpoint,)
        self.routers: Mapping[str, Model] = MappingProxyType(
            {slug: row for slug, row in router_rows.rows(self.models.values()).items() if slug not in self.models}
        )
        self._latest = self._find_latest()
        self.mirrors: Mapping[str, Model] = MappingProxyType(dict(self._make_mirrors()))
        self._by_model |= {mirror: self._by_model[self._latest[mirror].id] for mirror in self.mirrors}
        self._plain = self._index()

    def resolve(self, slug: str) -> Resolved | None:
        """What `slug` stands for: an id, alias, dated slug or `~author/family-latest`, in any case, with variants stacked (contract 3.6).

        None when nothing has that name. A slug without dynamic variants costs one look-up.
        """
        return self._plain.get(slug) or self._resolve_loosely(slug)

    def alias_target(self, model_id: str) -> Model | None:
        """The concrete model that a row of `mirrors` stands for; None for every other id."""
        return self._latest[model_id] if model_id in self.mirrors else None

    def endpoints_of(self, model_id: str) -> tuple[Endpoint, ...]:
        """All endpoints of a model, callable or not, in catalogue order."""
        return self._by_model.get(model_id, ())

    def available_endpoints(self, model_id: str) -> tuple[Endpoint, ...]:
        """The endpoints of a model that can be called now."""
        return tuple(endpoint for endpoint in self.endpoints_of(model_id) if self.is_available(endpoint))

    def is_available(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint has its credential and its base URL."""
        return endpoint.id not in self._missing and endpoint.id not in self._offline

    def missing_of(self, endpoint: Endpoint) -> tuple[str, ...]:
        """The environment variables that must be set before the endpoint can be called; empty also where no variable would help."""
        return self._missing.get(endpoint.id, ())

    def available(self, model_id: str) -> bool:
        """Whether a call to the model can be served; to a router, whether to any model. A retired model cannot be called at all."""
        if model_id in self.routers:
            return any(self.is_available(endpoint) for endpoint in self.endpoints.values())
        return not self._is_retired(model_id) and any(self.is_available(endpoint) for endpoint in self.endpoints_of(model_id))

    def missing_env(self, model_id: str) -> tuple[str, ...]:
        """All environment variables that stand in `alternatives`."""
        return tuple(dict.fromkeys(name for names in self.alternatives(model_id) for name in names))

    def alternatives(self, model_id: str) -> tuple[tuple[str, ...], ...]:
        """Sets of environment variables, each of which would make the model available; empty when it is, or when none would."""
        if self.available(model_id) or self._is_retired(model_id):
            return ()
        return tuple(dict.fromkeys(names for names in map(self.missing_of, self.endpoints_of(model_id)) if names))

    def headline(self, model_id: str) -> Endpoint | None:
        """The endpoint whose price and limits lists show: the cheapest that can be called now, else the cheapest of all.

        Routing prefers low prices too (contract 3.2), so this is the price that most calls pay. None for a model without endpoints.
        """
        endpoints = self.available_endpoints(model_id) or self.endpoints_of(model_id)
        return min(endpoints, key=lambda endpoint: endpoint.pricing.prompt + endpoint.pricing.completion, default=None)

    def _is_retired(self, model_id: str) -> bool:
        model = self.models.get(model_id)
        return model is not None and model.retired

    def author_name(self, slug: str) -> str:
        """The name to show for an author's slug."""
        return self._authors.get(slug, slug)

    def _index(self) -> dict[str, Resolved]:
        """Every plain slug as written and in lower case. Ids win over aliases, and those over dated slugs, which variants share,
        older spellings, and `~author/family-latest`."""
        plain_first = sorted(self.models.values(), key=lambda model: ":" in model.id)
        names = [(model.id, model) for model in plain_first]
        names += [(alias, model) for model in plain_first for alias in model.aliases]
        names += [(model.canonical_slug, model) for model in plain_first]
        names += [(older, model) for model in plain_first if (older := slugs.dashed(model.id))]
        names += list(self._latest.items())
        index: dict[str, Resolved] = {}
        for name, model in names:
            endpoints = self.available_endpoints(model.id)
            for spelling in (name, name.lower()):
                index.setdefault(spelling, Resolved(model=model, endpoints=endpoints, variants=(), requested=spelling))
        return index

    def _find_latest(self) -> dict[str, Model]:
        """The newest model of each family by `~author/family-latest`: of those that can be called, when any can."""
        latest: dict[str, Model] = {}
        for family, models in slugs.families(self.models.values()).items():
            callable_ones = [model for model in models if self.available(model.id)]
            latest[slugs.latest_slug(family)] = max(callable_ones or models, key=lambda model: (model.created, model.id))
        return latest

    def _make_mirrors(self) -> Iterator[tuple[str, Model]]:
        """A row for each `~author/family-latest` of a family with several models; the slugs of other families resolve without a row."""
        for family, models in slugs.families(self.models.values()).items():
            slug = slugs.latest_slug(family)
            if len(models) > 1 and slug not in self.models:
                target = self._latest[slug]
                yield slug, structs.replace(target, id=slug, name=f"{target.name} (latest)", aliases=())

    def _resolve_loosely(self, slug: str) -> Resolved | None:
        parts = slugs.take_apart(slug)
        if parts is None:
            return None
        found = self._plain.get(parts.listed) or self._variant_of_alias(parts)
        if found is None:
            return None
        return Resolved(model=found.model, endpoints=found.endpoints, variants=parts.dynamic, requested=slug)

    def _variant_of_alias(self, parts: slugs.Slug) -> Resolved | None:
        """A static variant of a model that is named by an alias: `~acme/echo-latest:free` is `acme/echo-2:free`."""
        base = self._plain.get(parts.base)
        return None if base is None else self._plain.get(":".join((base.model.id.lower(), *parts.static)))
