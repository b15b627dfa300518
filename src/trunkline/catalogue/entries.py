"""The tables of a catalogue file as they are written, and each one turned into the Struct that the rest of the project uses.

`trunkline.toml` and the built-in files have the same tables. A table for something that is already known changes only the keys it names.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, structs

from trunkline.catalogue import prices, vocabulary
from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import DataPolicy, Endpoint, Model, Provider, Reasoning, Timeouts
from trunkline.protocol.quirks import Quirks
from trunkline.providers import addresses
from trunkline.providers.credentials import check_name, check_value
from trunkline.providers.records import dialect_named, overlay
from trunkline.providers.regions import region_named
from trunkline.providers.tables import key_path, one_of, read

MODEL_ID = re.compile(r"~?[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*(:[a-z0-9-]+)?")
"""What the id of a model looks like."""

REASONING_SECONDS = 180.0
"""How long a reasoning model may take to its first content, unless provider or endpoint grant more."""


class AuthorEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[authors]]`: the name to show for an author's slug."""

    slug: str
    name: str


class ModelEntry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[models]]`. `created` is a date, or Unix seconds; the other keys are those of `protocol.catalogue.Model`."""

    id: str
    name: str | UnsetType = UNSET
    canonical_slug: str | UnsetType = UNSET
    created: int | date | UnsetType = UNSET
    description: str | UnsetType = UNSET
    context_length: int | UnsetType = UNSET
    knowledge_cutoff: date | UnsetType = UNSET
    expiration_date: date | UnsetType = UNSET
    retired: bool | UnsetType = UNSET
    successor: str | UnsetType = UNSET
    hugging_face_id: str | UnsetType = UNSET
    input_modalities: tuple[str, ...] | UnsetType = UNSET
    output_modalities: tuple[str, ...] | UnsetType = UNSET
    tokenizer: str | UnsetType = UNSET
    instruct_type: str | UnsetType = UNSET
    is_moderated: bool | UnsetType = UNSET
    distillable: bool | UnsetType = UNSET
    reasoning: Reasoning | UnsetType = UNSET
    fast: str | UnsetType = UNSET
    default_parameters: dict[str, float | None] | UnsetType = UNSET
    aliases: tuple[str, ...] | UnsetType = UNSET
    sources: tuple[str, ...] | UnsetType = UNSET


class EndpointEntry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[endpoints]]`. `tag` tells several endpoints of one model at one provider apart (`acme/fp8`); absent = the provider's slug.
    `region`: `eu` or `us` where prompts stay there, `global` for no such promise; absent = what provider and address promise."""

    model: str
    provider: str
    tag: str = ""
    upstream_model: str | UnsetType = UNSET
    pricing: dict[str, object] | UnsetType = UNSET
    context_length: int | UnsetType = UNSET
    max_completion_tokens: int | UnsetType = UNSET
    max_prompt_tokens: int | UnsetType = UNSET
    quantization: str | UnsetType = UNSET
    supported_parameters: tuple[str, ...] | UnsetType = UNSET
    implicit_caching: bool | UnsetType = UNSET
    data_policy: dict[str, object] | UnsetType = UNSET
    on_cancel: Literal["stops", "bills_on"] | UnsetType = UNSET
    timeouts: dict[str, object] | UnsetType = UNSET
    dialect: str | UnsetType = UNSET
    base_url: str | UnsetType = UNSET
    quirks: dict[str, object] | UnsetType = UNSET
    extra_headers: dict[str, str] | UnsetType = UNSET
    region: str | UnsetType = UNSET
    launch: Literal["local", "embedder"] | UnsetType = UNSET


_DATES = ("knowledge_cutoff", "expiration_date")
_MODEL_COPIED = tuple(name for name in ModelEntry.__struct_fields__ if name not in ("id", "created", *_DATES))
_ENDPOINT_COPIED = (
    *("context_length", "max_completion_tokens", "max_prompt_tokens", "quantization", "implicit_caching", "on_cancel"),
    "launch",
)
_VOCABULARIES: Mapping[str, frozenset[str]] = {
    "input_modalities": vocabulary.INPUT_MODALITIES,
    "output_modalities": vocabulary.OUTPUT_MODALITIES,
    "supported_parameters": vocabulary.PARAMETERS,
}


def model_of(table: object, where: str, known: Mapping[str, Model], first_seen: Callable[[str], int]) -> Model:
    """The model that `table` describes, on top of the one in `known` with its id. Raises ConfigError naming the key."""
    entry = read(table, ModelEntry, where)
    _check_model(entry, where)
    changes: dict[str, object] = {key: getattr(entry, key) for key in _MODEL_COPIED if getattr(entry, key) is not UNSET}
    changes |= {key: getattr(entry, key).isoformat() for key in _DATES if getattr(entry, key) is not UNSET}
    if isinstance(entry.created, date):
        changes["created"] = int(datetime(entry.created.year, entry.created.month, entry.created.day, tzinfo=UTC).timestamp())
    elif isinstance(entry.created, int):
        changes["created"] = entry.created
    before = known.get(entry.id)
    if before is None:
        created = changes.pop("created", None)
        before = Model(
            id=entry.id,
            name=entry.id,
            author=entry.id.partition("/")[0],
            canonical_slug=entry.id.partition(":")[0],
            created=created if isinstance(created, int) else first_seen(entry.id),
        )
    return structs.replace(before, **changes)


def endpoint_of(
    table: object,
    where: str,
    known: Mapping[str, Endpoint],
    models: Mapping[str, Model],
    providers: Mapping[str, Provider],
    environ: Mapping[str, str],
    *,
    operator: bool,
) -> Endpoint:
    """The endpoint that `table` describes, on top of the one in `known` with its id. `operator`: the table was written by the operator.

    Raises ConfigError naming the key.
    """
    entry = read(table, EndpointEntry, where)
    one_of(entry.model, models, key_path(where, "model"))
    one_of(entry.provider, providers, key_path(where, "provider"))
    provider = providers[entry.provider]
    tag = _tag(entry, where)
    before = known.get(endpoint_id(entry.model, tag)) or _blank(entry, provider, models[entry.model], tag, where)
    _check_endpoint(entry, where)
    changes: dict[str, object] = {key: getattr(entry, key) for key in _ENDPOINT_COPIED if getattr(entry, key) is not UNSET}
    if entry.upstream_model is not UNSET:
        changes["upstream_model"] = _prefixed(entry.upstream_model, provider.model_prefix)
    if entry.supported_parameters is not UNSET:
        changes["supported_parameters"] = _supported(entry.supported_parameters)
    if entry.pricing is not UNSET:
        changes["pricing"] = pricing = prices.pricing_of(entry.pricing, key_path(where, "pricing"))
        changes["price_version"] = prices.version(pricing)
    changes |= _overlays(entry, before, where)
    changes |= _address(entry, where, environ, operator=operator)
    return structs.replace(before, **changes)


def _supported(names: Iterable[str]) -> frozenset[str]:
    """The parameters of an endpoint. One that fits answers to a schema takes `response_format`, since that is where schemas stand."""
    named = frozenset(names)
    return named | {"response_format"} if "structured_outputs" in named else named


def endpoint_id(model: str, tag: str) -> str:
    """The name of an endpoint inside this server: `openai/gpt-5.2@openai`."""
    return f"{model}@{tag}"


def _blank(entry: EndpointEntry, provider: Provider, model: Model, tag: str, where: str) -> Endpoint:
    """A new endpoint with what it takes from its provider."""
    if entry.pricing is UNSET:
        raise ConfigError(
            key_path(where, "pricing"), "missing", 'pricing = { prompt = "0.000001", completion = "0.000002" } (USD per token)'
        )
    if entry.upstream_model is UNSET:
        raise ConfigError(key_path(where, "upstream_model"), "missing", "the name under which the provider knows the model")
    return Endpoint(
        id=endpoint_id(entry.model, tag),
        model=entry.model,
        provider=provider.slug,
        provider_name=provider.name,
        tag=tag,
        dialect=provider.dialect,
        base_url=provider.base_url,
        upstream_model="",
        pricing=prices.FREE,
        auth=provider.auth,
        quirks=provider.quirks,
        data_policy=provider.data_policy,
        timeouts=_patient(provider.timeouts) if model.reasoning is not None else provider.timeouts,
        on_cancel=provider.on_cancel,
        operator_url=provider.operator_url,
        launch=provider.launch,
    )


def _patient(timeouts: Timeouts) -> Timeouts:
    """The deadlines of a reasoning model, which may think for long before its first content."""
    return structs.replace(timeouts, first_content=max(timeouts.first_content, REASONING_SECONDS))


def _overlays(entry: EndpointEntry, before: Endpoint, where: str) -> dict[str, object]:
    return {
        "quirks": overlay(before.quirks, entry.quirks, Quirks, key_path(where, "quirks")),
        "data_policy": overlay(before.data_policy, entry.data_policy, DataPolicy, key_path(where, "data_policy")),
        "timeouts": overlay(before.timeouts, entry.timeouts, Timeouts, key_path(where, "timeouts")),
    }


def _address(entry: EndpointEntry, where: str, environ: Mapping[str, str], *, operator: bool) -> dict[str, object]:
    changes: dict[str, object] = {}
    if entry.dialect is not UNSET:
        changes["dialect"] = dialect_named(entry.dialect, key_path(where, "dialect"))
    if entry.base_url is not UNSET:
        changes["base_url"], from_environment = addresses.resolve(entry.base_url, environ, key_path(where, "base_url"))
        changes["operator_url"] = operator or from_environment
    if entry.region is not UNSET:
        changes["region"] = region_named(entry.region, key_path(where, "region"))
    if entry.extra_headers is not UNSET:
        place = key_path(where, "extra_headers")
        changes["extra_headers"] = {check_name(name, place): check_value(value, place) for name, value in entry.extra_headers.items()}
    return changes


def _tag(entry: EndpointEntry, where: str) -> str:
    tag = entry.tag or entry.provider
    if tag.partition("/")[0] != entry.provider:
        raise ConfigError(key_path(where, "tag"), f"{tag!r} does not begin with the provider's slug", f"{entry.provider}/{tag}")
    return tag


def _prefixed(name: str, prefix: str) -> str:
    return name if name.startswith(prefix) else prefix + name


def _check_model(entry: ModelEntry, where: str) -> None:
    for slug, key in ((entry.id, "id"), *((alias, "aliases") for alias in entry.aliases or ())):
        if not MODEL_ID.fullmatch(slug):
            raise ConfigError(
                key_path(where, key), f"{slug!r} is not a model slug", "author/model or author/model:variant, such as acme/echo-1"
            )
        if slug.partition(":")[2] in vocabulary.DYNAMIC_VARIANTS:
            raise ConfigError(key_path(where, key), f"{slug!r} ends in a variant that works on every model", slug.partition(":")[0])
    _check_words(entry, where)
    if entry.tokenizer is not UNSET:
        one_of(entry.tokenizer, vocabulary.TOKENIZERS, key_path(where, "tokenizer"))
    for effort in (entry.reasoning.supported_efforts or ()) if entry.reasoning is not UNSET else ():
        one_of(effort, vocabulary.EFFORTS, key_path(where, "reasoning.supported_efforts"))
    for name in entry.default_parameters or ():
        one_of(name, vocabulary.DEFAULT_PARAMETERS, key_path(where, "default_parameters"))
    _check_positive(entry, ("context_length",), where)


def _check_endpoint(entry: EndpointEntry, where: str) -> None:
    _check_words(entry, where)
    if entry.quantization is not UNSET:
        one_of(entry.quantization, vocabulary.QUANTIZATIONS, key_path(where, "quantization"))
    _check_positive(entry, ("context_length", "max_completion_tokens", "max_prompt_tokens"), where)


def _check_words(entry: Struct, where: str) -> None:
    for key, words in _VOCABULARIES.items():
        for index, word in enumerate(getattr(entry, key, None) or ()):
            one_of(word, words, f"{key_path(where, key)}[{index}]")


def _check_positive(entry: Struct, keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        value = getattr(entry, key)
        if value is not UNSET and value < 1:
            raise ConfigError(key_path(where, key), f"{value} is not a number of tokens", "128000")
