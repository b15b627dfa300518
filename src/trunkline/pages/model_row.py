"""One model as lists show it: in the list of all, on an author's page and among the featured ones."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.metering.units import TOKENS, input_unit
from trunkline.pages import formats
from trunkline.pages.formats import Day
from trunkline.pages.readiness import alternatives
from trunkline.protocol.catalogue import Model


class ModelRow(Struct, frozen=True):
    """Figures as text. `missing` are sets of variables, each of which makes the model callable; `going_away` is its end of life, if
    known."""

    id: str
    href: str
    name: str
    author: str
    author_href: str
    tokens: str
    input_price: str
    output_price: str
    unit: str
    context: str
    released: Day
    available: bool
    missing: tuple[tuple[str, ...], ...]
    going_away: Day | None


def path_of(model_id: str) -> str:
    """The path of a model's page."""
    return f"/{quote(model_id, safe='/:')}"


def split_name(model: Model, author: str) -> tuple[str, str]:
    """The two halves of a name such as `OpenAI: GPT-5.2 Chat`; a name without a colon follows its author's."""
    before, colon, after = model.name.partition(": ")
    return (before, after) if colon else (author, model.name)


def row_of(catalogue: Catalogue, model: Model, tokens: Mapping[str, int]) -> ModelRow:
    """The row of a model. Prices are those of its headline endpoint; `tokens` are of the last seven days, by model id."""
    lead = catalogue.headline(model.id)
    author = catalogue.author_name(model.author)
    return ModelRow(
        id=model.id,
        href=path_of(model.id),
        name=split_name(model, author)[1],
        author=author,
        author_href=path_of(model.author),
        tokens=formats.count(tokens.get(model.id, 0)),
        input_price=formats.per_million(lead.pricing.prompt if lead else None),
        output_price=formats.per_million(lead.pricing.completion if lead else None),
        unit=input_unit(lead, model.output_modalities) if lead else TOKENS,
        context=formats.count(model.context_length),
        released=formats.day_of(model.created),
        available=catalogue.available(model.id),
        missing=alternatives(catalogue, model.id),
        going_away=formats.day_of_iso(model.expiration_date) if model.expiration_date else None,
    )


def rows_of(catalogue: Catalogue, models: Iterable[Model], tokens: Mapping[str, int]) -> tuple[ModelRow, ...]:
    """The rows of several models, in their order."""
    return tuple(row_of(catalogue, model, tokens) for model in models)
