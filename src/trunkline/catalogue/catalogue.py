"""The catalogue in force: immutable, and replaced as a whole on reload."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct

from trunkline.catalogue.vocabulary import DYNAMIC_VARIANTS
from trunkline.protocol.catalogue import Endpoint, Model, Provider

_LONGEST_SLUG = 256


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
        self._plain = self._index()

    def resolve(self, slug: str) -> Resolved | None:
        """What `slug` stands for: an id, alias or dated slug, in any case, with static and dynamic variants stacked (contract 3.6).

        None when nothing has that name. A slug without dynamic variants costs one look-up.
        """
        return self._plain.get(slug) or self._resolve_loosely(slug)

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
        """Whether a call to the model can be served."""
        return any(self.is_available(endpoint) for endpoint in self.endpoints_of(model_id))

    def missing_env(self, model_id: str) -> tuple[str, ...]:
        """All environment variables that stand in `alternatives`."""
        return tuple(dict.fromkeys(name for names in self.alternatives(model_id) for name in names))

    def alternatives(self, model_id: str) -> tuple[tuple[str, ...], ...]:
        """Sets of environment variables, each of which would make the model available; empty when it is, or when none would."""
        if self.available(model_id):
            return ()
        return tuple(dict.fromkeys(names for names in map(self.missing_of, self.endpoints_of(model_id)) if names))

    def headline(self, model_id: str) -> Endpoint | None:
        """The endpoint whose price and limits lists show: the cheapest that can be called now, else the cheapest of all.

        Routing prefers low prices too (contract 3.2), so this is the price that most calls pay. None for a model without endpoints.
        """
        endpoints = self.available_endpoints(model_id) or self.endpoints_of(model_id)
        return min(endpoints, key=lambda endpoint: endpoint.pricing.prompt + endpoint.pricing.completion, default=None)

    def author_name(self, slug: str) -> str:
        """The name to show for an author's slug."""
        return self._authors.get(slug, slug)

    def _index(self) -> dict[str, Resolved]:
        """Every plain slug as written and in lower case. Ids win over aliases, and those over dated slugs, which variants share."""
        plain_first = sorted(self.models.values(), key=lambda model: ":" in model.id)
        names = [(model.id, model) for model in plain_first]
        names += [(alias, model) for model in plain_first for alias in model.aliases]
        names += [(model.canonical_slug, model) for model in plain_first]
        index: dict[str, Resolved] = {}
        for name, model in names:
            endpoints = self.available_endpoints(model.id)
            for spelling in (name, name.lower()):
                index.setdefault(spelling, Resolved(model=model, endpoints=endpoints, variants=(), requested=spelling))
        return index

    def _resolve_loosely(self, slug: str) -> Resolved | None:
        if len(slug) > _LONGEST_SLUG:
            return None
        base, *suffixes = slug.lower().split(":")
        static = [suffix for suffix in suffixes if suffix not in DYNAMIC_VARIANTS]
        found = self._plain.get(":".join((base, *static)))
        if found is None:
            return None
        dynamic = tuple(dict.fromkeys(suffix for suffix in suffixes if suffix in DYNAMIC_VARIANTS))
        return Resolved(model=found.model, endpoints=found.endpoints, variants=dynamic, requested=slug)
