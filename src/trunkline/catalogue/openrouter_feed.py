"""Reads OpenRouter's public list of models (`GET /api/v1/models`, contract 5.13).

Words that this release does not know (a new parameter or tokenizer) are left out; they are no reason to refuse a list.
"""

from collections.abc import Collection, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from trunkline.catalogue import vocabulary
from trunkline.catalogue.entries import MODEL_ID
from trunkline.catalogue.feeds import Feed, Listed, Name, Tokens, Words, decode, rate
from trunkline.catalogue.prices import CONDITIONS, OVERRIDABLE
from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Pricing

_RATES = tuple(name for name in Pricing.__struct_fields__ if name != "overrides")
_ROUTERS_PRICE = "-1"
"""The price of a router, which is that of the model it chooses."""

Price = Annotated[str, Meta(max_length=64)]
Overrides = Annotated[tuple[dict[Name, Price | int], ...], Meta(max_length=20)]


class Architecture(Struct, frozen=True):
    input_modalities: Words = ()
    output_modalities: Words = ()
    tokenizer: Name | None = None
    instruct_type: Name | None = None


class TopProvider(Struct, frozen=True):
    context_length: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    is_moderated: bool | None = None


class Row(Struct, frozen=True, kw_only=True):
    id: Name
    name: Name
    pricing: dict[Name, Price | Overrides | float | None]
    canonical_slug: Name | None = None
    created: Annotated[int, Meta(ge=0, le=2**40)] | None = None
    description: Annotated[str, Meta(max_length=20_000)] = ""
    context_length: Tokens | None = None
    hugging_face_id: Name | None = None
    knowledge_cutoff: Name | None = None
    expiration_date: Name | None = None
    architecture: Architecture = Architecture()
    top_provider: TopProvider = TopProvider()
    supported_parameters: Words | None = None


class List(Struct, frozen=True):
    data: Annotated[tuple[Row, ...], Meta(max_length=20_000)]


def read(text: bytes, source: str, provider: str) -> Feed:
    """The list, as what `provider` serves. Aliases (`~author/...`) and routers are skipped. Raises ConfigError naming the place."""
    rows: dict[tuple[str, str], Listed] = {}
    data = decode(text, List, source).data
    for index, row in enumerate(data):
        if row.id.startswith("~") or row.pricing.get("prompt") == _ROUTERS_PRICE:
            continue
        where = f"{source}: data[{index}]"
        if not MODEL_ID.fullmatch(row.id):
            raise ConfigError(f"{where}.id", f"{row.id!r} is not a model slug", "author/model")
        if (provider, row.id) in rows:
            raise ConfigError(f"{where}.id", f"{row.id} is listed twice")
        rows[provider, row.id] = _listed(row, provider, where)
    return Feed(source=source, providers=frozenset((provider,)), rows=rows, skipped=len(data) - len(rows), complete=True)


def _listed(row: Row, provider: str, where: str) -> Listed:
    named = row.pricing.get("overrides")
    return Listed(
        provider=provider,
        upstream_model=row.id,
        rates=_rates(row.pricing, f"{where}.pricing"),
        overrides=tuple(_override(item, f"{where}.pricing.overrides") for item in named) if isinstance(named, tuple) else None,
        context_length=row.top_provider.context_length or row.context_length or None,
        max_completion_tokens=row.top_provider.max_completion_tokens or None,
        supported_parameters=_known(row.supported_parameters, vocabulary.PARAMETER_ORDER),
        model=_model(row),
    )


def _rates(pricing: Mapping[str, object], where: str) -> dict[str, int]:
    for key in ("prompt", "completion"):
        if pricing.get(key) is None:
            raise ConfigError(f"{where}.{key}", "missing")
    found = {}
    for key in _RATES:
        value = pricing.get(key)
        if value is not None:
            if not isinstance(value, str):
                raise ConfigError(f"{where}.{key}", "a price is text")
            found[key] = rate(value, f"{where}.{key}")
    return found


def _override(item: Mapping[str, str | int], where: str) -> dict[str, object]:
    """Conditions as they are (they are checked when the catalogue is read), rates in pico-dollars."""
    return {
        key: value if key in CONDITIONS else rate(str(value), f"{where}.{key}")
        for key, value in item.items()
        if key in CONDITIONS or key in OVERRIDABLE
    }


def _model(row: Row) -> dict[str, object]:
    """The `[[models]]` table, without what the row leaves open."""
    shape = row.architecture
    table: dict[str, object] = {
        "id": row.id,
        "name": printable(row.name),
        "canonical_slug": row.canonical_slug,
        "created": row.created,
        "description": "\n".join(printable(line) for line in row.description.splitlines()),
        "context_length": row.context_length or None,
        "hugging_face_id": row.hugging_face_id or None,
        "knowledge_cutoff": row.knowledge_cutoff,
        "expiration_date": row.expiration_date,
        "input_modalities": _known(shape.input_modalities, vocabulary.INPUT_MODALITIES) or None,
        "output_modalities": _known(shape.output_modalities, vocabulary.OUTPUT_MODALITIES) or None,
        "tokenizer": shape.tokenizer if shape.tokenizer in vocabulary.TOKENIZERS else None,
        "instruct_type": shape.instruct_type,
        "is_moderated": row.top_provider.is_moderated,
        "sources": ("OpenRouter model list, synced",),
    }
    return {key: value for key, value in table.items() if value is not None}


def _known(words: tuple[str, ...] | None, vocabulary_of: Collection[str]) -> tuple[str, ...] | None:
    return None if words is None else tuple(word for word in words if word in vocabulary_of)


def printable(text: str) -> str:
    """`text` on one line, without characters that could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
