"""The routers as rows of `GET /models` (contract 3.7): slugs that stand for a choice, which `inference.routers` makes for each request."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from msgspec import structs

from trunkline.protocol.catalogue import Model

AUTO: Final = "openrouter/auto"
AUTO_BETA: Final = "openrouter/auto-beta"
FREE: Final = "openrouter/free"
PARETO_CODE: Final = "openrouter/pareto-code"
BODYBUILDER: Final = "openrouter/bodybuilder"

FREE_OF_CHARGE: Final = frozenset((FREE, BODYBUILDER))
"""Routers whose answers cost nothing, whatever they choose; others cost what the chosen model costs."""
SELF_MADE: Final = frozenset((BODYBUILDER,))
"""Routers that answer themselves."""
NOT_HERE: Final = dict.fromkeys(
    ("openrouter/fusion", "openrouter/fusion-flash"),
    "it asks several models by server tools, which this server does not run",
)
"""Routers of OpenRouter that are not in this server's list, and why."""
_SINCE: Final = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
"""When this server learned them."""
_EVERYTHING: Final = ("text", "image", "file", "audio", "video")


def _row(slug: str, name: str, description: str, inputs: tuple[str, ...] = _EVERYTHING) -> Model:
    return Model(
        id=slug,
        name=name,
        author="openrouter",
        canonical_slug=slug,
        created=_SINCE,
        description=description,
        input_modalities=inputs,
        tokenizer="Router",
    )


_ROWS: Final = (
    _row(AUTO, "Auto Router", "Finds out what kind of task the prompt is, and chooses among the models of the wanted cost."),
    _row(AUTO_BETA, "Auto Router (beta)", "As the Auto Router, with options of its own."),
    _row(FREE, "Free Models Router", "One of the models that cost nothing and can do what the request needs, at random."),
    _row(PARETO_CODE, "Pareto Code Router", "The cheapest of the models that write code as well as the request wants.", ("text",)),
    _row(BODYBUILDER, "Body Builder", "Writes the bodies of requests to the models that the prompt names, as JSON.", ("text",)),
)
SLUGS: Final = frozenset(row.id for row in _ROWS)


def rows(models: Iterable[Model]) -> dict[str, Model]:
    """The routers by slug, with the context of the largest of the models."""
    largest = max((model.context_length or 0 for model in models), default=0) or None
    return {row.id: structs.replace(row, context_length=largest) for row in _ROWS}
