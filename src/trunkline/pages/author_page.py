"""An author's page: the models of one lab."""

from collections.abc import Mapping

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.pages import formats
from trunkline.pages.model_row import ModelRow, rows_of


class AuthorView(Struct, frozen=True):
    """The author's name and models, newest first."""

    slug: str
    name: str
    count: str
    rows: tuple[ModelRow, ...]


def view(catalogue: Catalogue, tokens: Mapping[str, int], slug: str) -> AuthorView | None:
    """The page of the author with this slug, in any case; None when no model is by them."""
    models = [model for model in catalogue.models.values() if model.author.lower() == slug.lower()]
    if not models:
        return None
    models.sort(key=lambda model: (-model.created, model.id))
    return AuthorView(
        slug=models[0].author,
        name=catalogue.author_name(models[0].author),
        count=formats.plural(len(models), "model"),
        rows=rows_of(catalogue, models, tokens),
    )
