"""Provider records: one TOML table each, checked and turned into `protocol.catalogue.Provider`.

The built-in ones lie in `data/`. A `[[providers]]` table of `trunkline.toml` with the slug of a known provider changes only the keys that
it names.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal, TypeVar, get_args

from msgspec import UNSET, Struct, UnsetType, structs

from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Auth, AuthStyle, DataPolicy, Dialect, Provider, Timeouts
from trunkline.protocol.quirks import Quirks
from trunkline.providers import addresses
from trunkline.providers.credentials import check_name, check_source
from trunkline.providers.regions import region_named
from trunkline.providers.tables import Table, key_path, one_of, parse, read

S = TypeVar("S", bound=Struct)

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*")


class ProviderRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of a provider's table. `api_key` is `env:NAME`, `file:PATH` or a literal; `auth_header` the header for it, where that is not
    `authorization: Bearer`; `auth_style` is `google` where tokens are made of it, `aws` where it signs. `model_prefix` is put before each
    `upstream_model` that lacks it. `region` is `eu` or `us` where prompts stay there, `global` for no such promise. `sources` says where
    the facts were read."""

    slug: str
    name: str | UnsetType = UNSET
    dialect: str | UnsetType = UNSET
    base_url: str | UnsetType = UNSET
    api_key: str | UnsetType = UNSET
    auth_header: str | UnsetType = UNSET
    auth_style: AuthStyle | UnsetType = UNSET
    quirks: dict[str, object] | UnsetType = UNSET
    data_policy: dict[str, object] | UnsetType = UNSET
    timeouts: dict[str, object] | UnsetType = UNSET
    on_cancel: Literal["stops", "bills_on"] | UnsetType = UNSET
    launch: Literal["local"] | UnsetType = UNSET
    model_prefix: str | UnsetType = UNSET
    privacy_policy_url: str | UnsetType = UNSET
    terms_of_service_url: str | UnsetType = UNSET
    status_page_url: str | UnsetType = UNSET
    headquarters: str | UnsetType = UNSET
    datacenters: tuple[str, ...] | UnsetType = UNSET
    region: str | UnsetType = UNSET
    sources: tuple[str, ...] | UnsetType = UNSET


_COPIED = (
    "name",
    "on_cancel",
    "launch",
    "model_prefix",
    "privacy_policy_url",
    "terms_of_service_url",
    "status_page_url",
    "headquarters",
    "datacenters",
    "sources",
)


def built_in(environ: Mapping[str, str]) -> dict[str, Provider]:
    """The providers that come with Trunkline, by slug. `environ` gives base URLs of the form `env:NAME`."""
    providers = {}
    for file in sorted(files(__package__).joinpath("data").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            where = f"{file.name}: "
            provider = provider_of(parse(file.read_bytes(), file.name), where, {}, environ, operator=False)
            providers[provider.slug] = provider
    return providers


def variables_of(provider: Provider) -> tuple[str, ...]:
    """The environment variables that a provider's credential and address wait for, as long as none is set."""
    source = provider.auth.source
    return (*((source.removeprefix("env:"),) if source.startswith("env:") else ()), *addresses.variables(provider.base_url))


def provider_of(table: object, where: str, known: Mapping[str, Provider], environ: Mapping[str, str], *, operator: bool) -> Provider:
    """The provider that `table` describes, on top of the one in `known` with its slug. `operator`: the table was written by the operator.

    Raises ConfigError naming the key.
    """
    record = read(table, ProviderRecord, where)
    if not _SLUG.fullmatch(record.slug):
        raise ConfigError(key_path(where, "slug"), f"{record.slug!r} is not a slug", "lower-case letters, digits, . and -, such as acme-ai")
    before = known.get(record.slug)
    if before is None:
        before = Provider(slug=record.slug, name=record.slug)
        _require(record, where)
    changes: dict[str, object] = {key: getattr(record, key) for key in _COPIED if getattr(record, key) is not UNSET}
    changes["auth"] = _auth(record, before.auth, where)
    changes["quirks"] = overlay(before.quirks, record.quirks, Quirks, key_path(where, "quirks"))
    changes["data_policy"] = overlay(before.data_policy, record.data_policy, DataPolicy, key_path(where, "data_policy"))
    changes["timeouts"] = overlay(before.timeouts, record.timeouts, Timeouts, key_path(where, "timeouts"))
    if record.dialect is not UNSET:
        changes["dialect"] = dialect_named(record.dialect, key_path(where, "dialect"))
    if record.region is not UNSET:
        changes["region"] = region_named(record.region, key_path(where, "region"))
    if record.base_url is not UNSET:
        changes["base_url"], from_environment = addresses.resolve(record.base_url, environ, key_path(where, "base_url"))
        changes["operator_url"] = operator or from_environment
    return structs.replace(before, **changes)


def dialect_named(dialect: str, where: str) -> Dialect:
    """`dialect` when it is one. Raises ConfigError."""
    one_of(dialect, get_args(Dialect), where)
    return dialect  # type: ignore[return-value]


def overlay(before: S, table: Table | UnsetType, shape: type[S], where: str) -> S:
    """`before` with the keys of `table`, which must fit the Struct `shape`. A key replaces what was there, but where that is a table of
    Structs (`operations`), the keys inside are put on top in the same way. Raises ConfigError."""
    if table is UNSET:
        return before
    return _on_top(before, read(table, shape, where), table)


def _on_top(before: S, after: S, table: Table) -> S:
    """`before` with what `table` says, which was read as `after`."""
    changes: dict[str, object] = {}
    for key, value in table.items():
        old, new = getattr(before, key), getattr(after, key)
        if isinstance(new, dict) and isinstance(value, Mapping) and any(isinstance(one, Struct) for one in (*old.values(), *new.values())):
            new = {**old, **{name: _on_top(old[name], one, value[name]) if name in old else one for name, one in new.items()}}
        changes[key] = new
    return structs.replace(before, **changes)


def _require(record: ProviderRecord, where: str) -> None:
    """A new provider must say where it is."""
    if record.base_url is UNSET and record.launch is UNSET:
        raise ConfigError(
            key_path(where, "base_url"), "missing for a provider that is not built in", 'base_url = "http://127.0.0.1:9001/v1"'
        )


def _auth(record: ProviderRecord, before: Auth, where: str) -> Auth:
    source = before.source if record.api_key is UNSET else check_source(record.api_key, key_path(where, "api_key"))
    style = before.style if record.auth_style is UNSET else record.auth_style
    if record.auth_header is not UNSET:
        header = check_name(record.auth_header, key_path(where, "auth_header"))
        return Auth(style="header" if record.auth_style is UNSET else style, header=header, source=source)
    return Auth(style=style, header="authorization" if style != before.style else before.header, source=source)
