"""The options of routers: entries of `plugins`, each slug reading its own id (contract 3.7). An entry that is switched off says nothing."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from trunkline.errors import ApiError

CostTier = Literal["low", "medium", "high", "xhigh", "max"]
MOST_PATTERN_CHARACTERS: Final = 65_536
Pattern = Annotated[str, Meta(max_length=1024)]
Listed = Annotated[tuple[Pattern, ...], Meta(max_length=1024)]


class AutoBetaOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of `auto-beta-router`. `allowed_models` None = all; `cost_tier` wins over the older `cost_quality_tradeoff`."""

    id: str = ""
    enabled: bool | None = None
    allowed_models: Listed | None = None
    excluded_models: Listed | None = None
    cost_tier: CostTier | None = None
    cost_quality_tradeoff: Annotated[int, Meta(ge=0, le=10)] | None = None


class AutoOptions(AutoBetaOptions, frozen=True, forbid_unknown_fields=True):
    """Options of `auto-router`. `pin_model`: go on with the model of the last assistant message."""

    pin_model: bool | None = None


class ParetoOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of `pareto-router`. `max_price` is USD per million input tokens, and takes the place of the score; `price_source` says
    whether it is held against list prices or what input came to here."""

    id: str = ""
    enabled: bool | None = None
    min_coding_score: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_price: Annotated[float, Meta(ge=0)] | None = None
    price_source: Literal["prompt", "weighted_avg"] | None = None


class _Entry(Struct):
    id: str


Options = TypeVar("Options", AutoBetaOptions, AutoOptions, ParetoOptions)
_ENTRIES: Final = msgspec.json.Decoder(list[Raw] | None)
_ID: Final = msgspec.json.Decoder(_Entry)
_DECODERS: Final[Mapping[Any, msgspec.json.Decoder[Any]]] = {
    one: msgspec.json.Decoder(one) for one in (AutoBetaOptions, AutoOptions, ParetoOptions)
}


def options_of(fields: Mapping[str, Raw], plugin: str, kind: type[Options]) -> Options:
    """The options under this plugin id, the later of two entries; the defaults where there are none.

    Raises ApiError("invalid_request") that names the entry and what is wrong with it.
    """
    found = kind()
    raw_plugins = fields.get("plugins")
    for place, raw in enumerate((_decoded(_ENTRIES, raw_plugins, "plugins") if raw_plugins is not None else None) or ()):
        where = f"plugins[{place}]"
        if _decoded(_ID, raw, where).id == plugin:
            found = _decoded(_DECODERS[kind], raw, where)
            _check_length(found, where)
    return kind() if found.enabled is False else found


def _check_length(options: Struct, where: str) -> None:
    lists = [getattr(options, key, None) or () for key in ("allowed_models", "excluded_models")]
    for key, patterns in zip(("allowed_models", "excluded_models"), lists, strict=True):
        if sum(map(len, patterns)) > MOST_PATTERN_CHARACTERS:
            raise ApiError("invalid_request", f"{where}.{key}: More than {MOST_PATTERN_CHARACTERS} characters in all patterns")


def _decoded(decoder: msgspec.json.Decoder[Any], raw: Raw, where: str) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise ApiError("invalid_request", f"{where}: {error}") from None
