"""The list of all models: the URL's query is the whole state, and its fields are those of `GET /api/v1/models`."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from trunkline.catalogue import listing
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.query import parse_query
from trunkline.catalogue.statistics import ModelStats
from trunkline.errors import ApiError
from trunkline.pages import formats
from trunkline.pages.model_row import ModelRow, rows_of

Fields = Mapping[str, Sequence[str]]
Choices = Sequence[tuple[str, str]]

_MAX_FIELDS = 100
_ALL = "all"

_SORTS: Choices = (
    ("", "Newest first"),
    ("top-weekly", "Most used this week"),
    ("pricing-low-to-high", "Price, low to high"),
    ("pricing-high-to-low", "Price, high to low"),
    ("context-high-to-low", "Longest context"),
)
_INPUTS: Choices = (("", "Any input"), ("text", "Text"), ("image", "Images"), ("file", "Files"), ("audio", "Audio"), ("video", "Video"))
_PRICES: Choices = (
    ("", "Any price"),
    ("0", "Free"),
    ("0.25", "up to $0.25"),
    ("0.5", "up to $0.50"),
    ("1", "up to $1"),
    ("2.5", "up to $2.50"),
    ("5", "up to $5"),
)
_CONTEXTS: Choices = (
    ("", "Any length"),
    ("32000", "32K or more"),
    ("128000", "128K or more"),
    ("200000", "200K or more"),
    ("1000000", "1M or more"),
)


class Option(Struct, frozen=True):
    """One entry of a menu."""

    value: str
    label: str
    chosen: bool


class Menu(Struct, frozen=True):
    """A menu of the filter form. `name` is the query field."""

    name: str
    label: str
    options: tuple[Option, ...]


class ListView(Struct, frozen=True):
    """The page. `problem` says what is wrong with the query, if anything; `api_query` repeats it for the API."""

    rows: tuple[ModelRow, ...]
    count: str
    q: str
    callable_only: bool
    menus: tuple[Menu, ...]
    filtered: bool
    problem: str
    api_query: str


def parse_fields(query: bytes) -> Fields:
    """All values of each field of a query string. Raises ApiError `invalid_request` for more fields than anyone needs."""
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise ApiError("invalid_request", f"The address has more than {_MAX_FIELDS} query fields.") from None
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def view(catalogue: Catalogue, tokens: Mapping[str, int], fields: Fields, *, now: float) -> ListView:
    """The list that the query asks for, all outputs unless it names some. `now` is in Unix seconds. A bad query lists nothing and says
    why."""
    try:
        query = parse_query({"output_modalities": (_ALL,), **fields})
    except ApiError as error:
        return _view(catalogue, fields, (), 0, error.message)
    stats = {model: ModelStats(tokens_week=figure) for model, figure in tokens.items()}
    page = listing.select(catalogue, query, now=now, stats=stats)
    return _view(catalogue, fields, rows_of(catalogue, page.models, tokens), page.total, "")


def _view(catalogue: Catalogue, fields: Fields, rows: tuple[ModelRow, ...], total: int, problem: str) -> ListView:
    return ListView(
        rows=rows,
        count=formats.plural(total, "model"),
        q=_last(fields, "q"),
        callable_only=_last(fields, "available") == "true",
        menus=tuple(_menu(name, label, choices(catalogue), _last(fields, name)) for name, label, choices in _MENUS),
        filtered=any(name != "sort" for name in fields),
        problem=problem,
        api_query=urlencode({"output_modalities": (_ALL,), **fields}, doseq=True),
    )


def _last(fields: Fields, name: str) -> str:
    return next(reversed(fields.get(name, ())), "")


def _menu(name: str, label: str, choices: Choices, chosen: str) -> Menu:
    """The menu; a value of the URL that it does not offer is added, so that sending the form again keeps it."""
    known = choices if any(value == chosen for value, _ in choices) else (*choices, (chosen, chosen))
    return Menu(name, label, tuple(Option(value, text, value == chosen) for value, text in known))


def _authors(catalogue: Catalogue) -> Choices:
    slugs = {model.author for model in catalogue.models.values()}
    return [("", "All authors"), *sorted(((slug, catalogue.author_name(slug)) for slug in slugs), key=lambda pair: pair[1].lower())]


def _providers(catalogue: Catalogue) -> Choices:
    """The providers that serve something."""
    used = {endpoint.provider for endpoint in catalogue.endpoints.values()}
    names = [(slug, provider.name) for slug, provider in catalogue.providers.items() if slug in used]
    return [("", "All providers"), *sorted(names, key=lambda pair: pair[1].lower())]


_MENUS: tuple[tuple[str, str, Callable[[Catalogue], Choices]], ...] = (
    ("input_modalities", "Takes", lambda _: _INPUTS),
    ("model_authors", "Author", _authors),
    ("providers", "Provider", _providers),
    ("max_price", "Input price per 1M", lambda _: _PRICES),
    ("context", "Context", lambda _: _CONTEXTS),
    ("sort", "Order", lambda _: _SORTS),
)
