"""The page of a lab."""

from trunkline.catalogue.catalogue import Catalogue
from trunkline.pages import author_page


def test_an_authors_models_newest_first(catalogue: Catalogue) -> None:
    view = author_page.view(catalogue, {}, "ACME")
    assert view is not None
    assert (view.slug, view.name, view.count) == ("acme", "Acme Labs", "2 models")
    assert [row.id for row in view.rows] == ["acme/echo-1:free", "acme/echo-1"]


def test_an_author_without_models_has_no_page(catalogue: Catalogue) -> None:
    assert author_page.view(catalogue, {}, "nobody") is None
