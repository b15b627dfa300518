"""A model's page: the head that all its tabs share, the overview with the endpoints, and the API tab."""

from collections.abc import Mapping

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.vocabulary import MODALITY_ORDER
from trunkline.metering.units import TOKENS, input_unit
from trunkline.pages import endpoint_table, formats, parameters, snippets
from trunkline.pages.endpoint_table import EndpointRow
from trunkline.pages.formats import Day
from trunkline.pages.model_row import path_of, split_name
from trunkline.pages.parameters import ParameterRow
from trunkline.pages.readiness import alternatives
from trunkline.pages.snippets import Snippet
from trunkline.protocol.catalogue import Model

TABS: tuple[tuple[str, str], ...] = (("", "Overview"), ("api", "API"))
"""The tabs of a model: the last segment of their path, and their name."""


class Link(Struct, frozen=True):
    """A link, and whether it leads to the page it stands on."""

    href: str
    text: str
    current: bool = False


class Head(Struct, frozen=True):
    """What stands above the tabs. `missing` are sets of variables, each of which makes the model callable."""

    id: str
    prefix: str
    name: str
    full_name: str
    author: str
    author_href: str
    path: str
    description: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_price: str
    output_price: str
    unit: str
    context: str
    tokens: str
    released: Day
    going_away: Day | None
    available: bool
    missing: tuple[tuple[str, ...], ...]
    variants: tuple[Link, ...]
    tabs: tuple[Link, ...]


class Overview(Struct, frozen=True):
    """The first tab."""

    head: Head
    endpoints: tuple[EndpointRow, ...]
    facts: tuple[tuple[str, str], ...]


class ApiTab(Struct, frozen=True):
    """The tab about calling the model."""

    head: Head
    url: str
    key_step: str
    key_variable: str
    snippets: tuple[Snippet, ...]
    parameters: tuple[ParameterRow, ...]


def overview(catalogue: Catalogue, model: Model, tokens: Mapping[str, int]) -> Overview:
    """The overview of a model of the catalogue."""
    return Overview(head(catalogue, model, tokens, ""), endpoint_table.rows_of(catalogue, model.id), _facts(model))


def api_tab(catalogue: Catalogue, model: Model, tokens: Mapping[str, int], origin: str) -> ApiTab:
    """The API tab of a model of the catalogue, for a server at `origin`."""
    return ApiTab(
        head=head(catalogue, model, tokens, "api"),
        url=f"{origin}/api/v1/chat/completions",
        key_step=snippets.key_step(origin),
        key_variable=snippets.KEY_VARIABLE,
        snippets=snippets.snippets_of(origin, model.id),
        parameters=parameters.rows_of(catalogue, model.id),
    )


def head(catalogue: Catalogue, model: Model, tokens: Mapping[str, int], tab: str) -> Head:
    """The head of a model's page, on the tab with this segment."""
    lead = catalogue.headline(model.id)
    author = catalogue.author_name(model.author)
    prefix, name = split_name(model, author)
    return Head(
        id=model.id,
        prefix=prefix,
        name=name,
        full_name=model.name,
        author=author,
        author_href=path_of(model.author),
        path=path_of(model.id),
        description=model.description,
        inputs=_ordered(model.input_modalities),
        outputs=_ordered(model.output_modalities),
        input_price=formats.per_million(lead.pricing.prompt if lead else None),
        output_price=formats.per_million(lead.pricing.completion if lead else None),
        unit=input_unit(lead, model.output_modalities) if lead else TOKENS,
        context=formats.count(model.context_length),
        tokens=formats.count(tokens.get(model.id, 0)),
        released=formats.day_of(model.created),
        going_away=formats.day_of_iso(model.expiration_date) if model.expiration_date else None,
        available=catalogue.available(model.id),
        missing=alternatives(catalogue, model.id),
        variants=_variants(catalogue, model, tab),
        tabs=tuple(Link(tab_path(model.id, segment), text, segment == tab) for segment, text in TABS),
    )


def tab_path(model_id: str, tab: str) -> str:
    """The path of one tab of a model's page."""
    return f"{path_of(model_id)}/{tab}" if tab else path_of(model_id)


def _ordered(modalities: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(modalities, key=MODALITY_ORDER.index))


def _variants(catalogue: Catalogue, model: Model, tab: str) -> tuple[Link, ...]:
    """The variants of the model that have records of their own, itself among them; empty when it is the only one."""
    base = model.id.partition(":")[0]
    ids = sorted(id for id in catalogue.models if id.partition(":")[0] == base)
    links = (Link(tab_path(id, tab), id.partition(":")[2] or "standard", id == model.id) for id in ids)
    return tuple(links) if len(ids) > 1 else ()


def _facts(model: Model) -> tuple[tuple[str, str], ...]:
    """What else is known, each with its name; what is not known is left out."""
    defaults = {name: value for name, value in (model.default_parameters or {}).items() if value is not None}
    facts = (
        ("Dated slug", model.canonical_slug if model.canonical_slug != model.id else ""),
        ("Also answers to", ", ".join(model.aliases)),
        ("Knowledge until", model.knowledge_cutoff or ""),
        ("Thinking", _thinking(model)),
        ("Default parameters", ", ".join(f"{name} {value:g}" for name, value in defaults.items())),
        ("Tokenizer", model.tokenizer if model.tokenizer != "Other" else ""),
        ("Prompt template", model.instruct_type or ""),
        ("Weights on Hugging Face", model.hugging_face_id or ""),
        ("Moderated", "yes" if model.is_moderated else ""),
        ("Distillable", {True: "yes", False: "no", None: ""}[model.distillable]),
        ("Sources of these facts", "; ".join(model.sources)),
    )
    return tuple((name, value) for name, value in facts if value)


def _thinking(model: Model) -> str:
    """How a reasoning model's thinking is steered; empty for other models."""
    reasoning = model.reasoning
    if reasoning is None:
        return ""
    parts = ["always on" if reasoning.mandatory else "on unless switched off" if reasoning.default_enabled else "off unless asked for"]
    if reasoning.supported_efforts:
        parts.append(f"efforts {', '.join(reasoning.supported_efforts)}")
    if reasoning.default_effort:
        parts.append(f"{reasoning.default_effort} by default")
    if reasoning.supports_max_tokens:
        parts.append("takes a bound in tokens")
    return "; ".join(parts)
