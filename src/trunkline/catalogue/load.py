"""Builds the catalogue: built-in data, then what a sync wrote, then `trunkline.toml`, then what the environment makes available."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from msgspec import structs

from trunkline.catalogue import vocabulary
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.config import Tables, read_config, tables_of
from trunkline.catalogue.efforts import fitted
from trunkline.catalogue.entries import AuthorEntry, endpoint_of, model_of
from trunkline.catalogue.service_tiers import tiered
from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Endpoint, Model, Provider
from trunkline.providers import records
from trunkline.providers.credentials import Credentials
from trunkline.providers.regions import GLOBAL, promised
from trunkline.providers.tables import Table, read


def load(
    config: Path | None,
    environ: Mapping[str, str],
    *,
    local: str | None = None,
    embedder: str | None = None,
    first_seen: Callable[[str], int] | None = None,
    synced: Path | None = None,
) -> Catalogue:
    """The catalogue in force.

    `config` is the operator's file, if there is one; `synced` that of the last sync, which need not exist. `local` is the base URL of the
    local model, "" when it is on but its port is not known yet, None when it is off; `embedder` that of the local embedding model.
    `first_seen` gives the Unix seconds at which a model
    without `created` first appeared; absent = now.
    Raises ConfigError naming file and key.
    """
    draft = _Draft(environ, first_seen or _now)
    for name, text in _built_in_files():
        draft.add(tables_of(text, name), name, operator=False)
    if synced is not None and synced.is_file():
        draft.add(read_config(synced), str(synced), operator=False)
    if config is not None:
        draft.add(read_config(config), str(config), operator=True)
    return draft.finish({name: url for name, url in (("local", local), ("embedder", embedder)) if url is not None})


def _now(_model_id: str) -> int:
    return int(time.time())


def _built_in_files() -> Iterator[tuple[str, bytes]]:
    for file in sorted(files(__package__).joinpath("data").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            yield file.name, file.read_bytes()


class _Draft:
    """The catalogue while files are added to it. Endpoints are made last, since they take over what later files say of their provider."""

    def __init__(self, environ: Mapping[str, str], first_seen: Callable[[str], int]) -> None:
        self._environ = environ
        self._first_seen = first_seen
        self._providers = records.built_in(environ)
        self._authors: dict[str, str] = {}
        self._models: dict[str, Model] = {}
        self._endpoint_tables: list[tuple[Table, str, bool]] = []

    def add(self, tables: Tables, file: str, *, operator: bool) -> None:
        """Puts the tables of one file on top of what is there. Two tables of one file must not describe the same thing."""
        for table, where in _places(tables.authors, f"{file}: authors", ("slug",)):
            author = read(table, AuthorEntry, where)
            self._authors[author.slug] = author.name
        for table, where in _places(tables.providers, f"{file}: providers", ("slug",)):
            provider = records.provider_of(table, where, self._providers, self._environ, operator=operator)
            self._providers[provider.slug] = provider
        for table, where in _places(tables.models, f"{file}: models", ("id",)):
            model = model_of(table, where, self._models, self._first_seen)
            self._models[model.id] = model
        places = _places(tables.endpoints, f"{file}: endpoints", ("model", "provider", "tag"))
        self._endpoint_tables.extend((table, where, operator) for table, where in places)

    def finish(self, children: Mapping[str, str]) -> Catalogue:
        """The catalogue, with what can be called now. `children` are the base URLs of this server's own models, by `launch`."""
        _check_names(self._models.values())
        endpoints: dict[str, Endpoint] = {}
        for table, where, operator in self._endpoint_tables:
            endpoint = endpoint_of(table, where, endpoints, self._models, self._providers, self._environ, operator=operator)
            endpoints[endpoint.id] = endpoint
        able = [fitted(endpoint, self._models[endpoint.model].reasoning) for endpoint in endpoints.values()]
        placed = tiered([_placed(endpoint, self._providers[endpoint.provider]) for endpoint in able])
        endpoints = {endpoint.id: _at(endpoint, children.get(endpoint.launch, "")) for endpoint in placed}
        credentials = Credentials(self._environ)
        missing = {id: credentials.missing(endpoint) for id, endpoint in endpoints.items()}
        return Catalogue(
            models=self._models.values(),
            endpoints=endpoints.values(),
            providers=self._providers,
            authors=self._authors,
            missing={id: names for id, names in missing.items() if names},
            offline=frozenset(id for id, endpoint in endpoints.items() if endpoint.launch and endpoint.launch not in children),
        )


def _placed(endpoint: Endpoint, provider: Provider) -> Endpoint:
    """The endpoint with the region in which it processes prompts: as the operator says of it or of its provider, else as its address
    promises, else where all data centres of the provider are."""
    region = endpoint.region or provider.region or promised(endpoint.base_url, endpoint.upstream_model) or _centres(provider)
    region = "" if region == GLOBAL else region
    return endpoint if region == endpoint.region else structs.replace(endpoint, region=region)


def _centres(provider: Provider) -> str:
    countries = frozenset(provider.datacenters or ())
    return next((name for name, region in vocabulary.REGION_COUNTRIES.items() if countries and countries <= region), "")


def _at(endpoint: Endpoint, child: str) -> Endpoint:
    """The endpoint at the address of the child that serves it, when there is one."""
    return structs.replace(endpoint, base_url=child, operator_url=True) if child else endpoint


def _places(tables: tuple[Table, ...], where: str, identity: tuple[str, ...]) -> Iterator[tuple[Table, str]]:
    """Each table with its place. Raises ConfigError when two agree in all keys of `identity`."""
    seen: dict[tuple[object, ...], int] = {}
    for index, table in enumerate(tables):
        place = f"{where}[{index}]"
        key = tuple(repr(table.get(name)) for name in identity)
        if key in seen:
            raise ConfigError(place, f"the same {', '.join(identity)} as {where}[{seen[key]}]", "each one once")
        seen[key] = index
        yield table, place


def _check_names(models: Iterable[Model]) -> None:
    """No two models answer to the same id or alias, whatever the case."""
    owners: dict[str, str] = {}
    for model in models:
        for name in (model.id, *model.aliases):
            owner = owners.setdefault(name.lower(), model.id)
            if owner != model.id:
                raise ConfigError(f"model {model.id}", f"{name!r} already names the model {owner}", "another id or alias")
