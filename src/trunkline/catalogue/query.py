"""The query of `GET /models`, read strictly: a value that makes no sense is an error that names the parameter (contract 5.13)."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from trunkline.catalogue.vocabulary import INPUT_MODALITIES, OUTPUT_MODALITIES
from trunkline.errors import ApiError
from trunkline.protocol.regions import REGIONS

Region = Literal["eu", "us"]

CATEGORIES = (
    "programming",
    "roleplay",
    "marketing",
    "marketing/seo",
    "technology",
    "science",
    "translation",
    "legal",
    "finance",
    "health",
    "trivia",
    "academia",
)
SORTS = (
    "most-popular",
    "newest",
    "top-weekly",
    "pricing-low-to-high",
    "pricing-high-to-low",
    "context-high-to-low",
    "throughput-high-to-low",
    "latency-low-to-high",
    "intelligence-high-to-low",
    "coding-high-to-low",
    "agentic-high-to-low",
    "design-arena-elo-high-to-low",
)
DEFAULT_LIMIT = 500
LARGEST_LIMIT = 1000


class ModelQuery(Struct, frozen=True, kw_only=True):
    """What a list of models is asked for; the fields are the query parameters. None = the parameter was not given.

    Prices are USD per million tokens, ages days since the release, `context` tokens. `output_modalities` None = all. `host_region` is no
    parameter: the region that the caller's host names (`protocol.regions`), "" = none.
    """

    offset: int | None = None
    limit: int | None = None
    category: str | None = None
    supported_parameters: tuple[str, ...] | None = None
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = ("text",)
    q: str | None = None
    context: int | None = None
    min_price: float | None = None
    max_price: float | None = None
    min_output_price: float | None = None
    max_output_price: float | None = None
    arch: str | None = None
    model_authors: tuple[str, ...] | None = None
    providers: tuple[str, ...] | None = None
    distillable: bool | None = None
    zdr: bool | None = None
    region: Region | None = None
    min_age_days: int | None = None
    max_age_days: int | None = None
    min_intelligence_index: float | None = None
    max_intelligence_index: float | None = None
    min_coding_index: float | None = None
    max_coding_index: float | None = None
    min_agentic_index: float | None = None
    max_agentic_index: float | None = None
    min_tool_success_rate: float | None = None
    max_tool_success_rate: float | None = None
    sort: str | None = None
    use_rss: bool | None = None
    use_rss_chat_links: bool | None = None
    available: bool | None = None
    host_region: str = ""

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that the query and the host name (`europe`, `us`)."""
        return tuple(region for region in (REGIONS[self.region] if self.region else "", self.host_region) if region)


def parse_query(params: Mapping[str, Sequence[str]]) -> ModelQuery:
    """The query in `params` (all values of each name). Empty values and unknown names are ignored.

    Raises ApiError `invalid_request` naming the parameter.
    """
    values: dict[str, object] = {}
    for name, parse in _PARSERS.items():
        text = ",".join(params.get(name, ())).strip()
        if not text:
            continue
        try:
            values[name] = parse(text)
        except ValueError as error:
            raise ApiError("invalid_request", f"Query parameter `{name}`: {error}") from None
    return ModelQuery(**values)  # type: ignore[arg-type]


def _whole(low: int, high: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 15 or int(text) < low or (high is not None and int(text) > high):
            raise ValueError(f"expected a whole number {_between(low, high)}")
        return int(text)

    return parse


def _number(low: float, high: float | None = None) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < low or (high is not None and value > high):
            raise ValueError(f"expected a number {_between(low, high)}")
        return value

    return parse


def _between(low: float, high: float | None) -> str:
    return f"from {low} to {high}" if high is not None else f"of at least {low}"


def _choice(words: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return text

    return parse


def _flag(text: str) -> bool:
    return _choice(("true", "false"))(text) == "true"


def _only_true(text: str) -> bool:
    return _choice(("true",))(text) == "true"


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _modalities(known: frozenset[str]) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        names = _names(text)
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(sorted(known))}")
        return names

    return parse


def _outputs(text: str) -> tuple[str, ...] | None:
    names = _modalities(OUTPUT_MODALITIES | {"all"})(text)
    return None if "all" in names else names


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "offset": _whole(0),
    "limit": _whole(1, LARGEST_LIMIT),
    "category": _choice(CATEGORIES),
    "supported_parameters": _names,
    "input_modalities": _modalities(INPUT_MODALITIES),
    "output_modalities": _outputs,
    "q": str,
    "context": _whole(1),
    "min_price": _number(0),
    "max_price": _number(0),
    "min_output_price": _number(0),
    "max_output_price": _number(0),
    "arch": str,
    "model_authors": _names,
    "providers": _names,
    "distillable": _flag,
    "zdr": _only_true,
    "region": _choice(("eu", "us")),
    "min_age_days": _whole(0),
    "max_age_days": _whole(0),
    "min_intelligence_index": _number(0),
    "max_intelligence_index": _number(0),
    "min_coding_index": _number(0),
    "max_coding_index": _number(0),
    "min_agentic_index": _number(0),
    "max_agentic_index": _number(0),
    "min_tool_success_rate": _number(0, 1),
    "max_tool_success_rate": _number(0, 1),
    "sort": _choice(SORTS),
    "use_rss": _flag,
    "use_rss_chat_links": _flag,
    "available": _flag,
}
