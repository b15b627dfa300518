"""The first page's figures and example."""

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.pages import home
from trunkline.pages.readiness import Readiness


def test_figures_and_a_request_that_works(catalogue: Catalogue) -> None:
    view = home.view(catalogue, {"acme/echo-1": 1_500_000, "zeta/vector-1": 9}, "https://gateway.example")
    assert (view.models, view.callable_models, view.tokens) == (str(len(catalogue.models)), "2", "1.5M")
    assert (view.example, view.example_works) == ("acme/echo-1", True)
    assert "https://gateway.example/api/v1/chat/completions" in view.request
    assert '"model": "acme/echo-1"' in view.request


def test_where_to_get_a_key_depends_on_where_the_server_is(catalogue: Catalogue) -> None:
    here, there = (home.view(catalogue, {}, origin) for origin in ("http://127.0.0.1:8787", "https://gateway.example"))
    assert (here.local, "demo-key" in here.key_step) == (True, True)
    assert (there.local, "demo-key" in there.key_step) == (False, False)


def test_featured_models_are_ready_first_and_not_all_of_one_author(catalogue: Catalogue) -> None:
    rows = home.view(catalogue, {"openai/gpt-5.2": 4}, "").featured
    assert [row.id for row in rows[:3]] == ["acme/echo-1:free", "acme/echo-1", "openai/gpt-5.2"]
    assert len(rows) == 6
    authors = [row.author for row in rows]
    assert max(authors.count(author) for author in authors) == 2


def test_a_lone_author_still_fills_the_page() -> None:
    everything = load(None, {})
    only = Catalogue(
        models=[model for model in everything.models.values() if model.author == "openai"],
        endpoints=(),
        providers={},
        authors={},
        missing={},
    )
    assert len(home.view(only, {}, "").featured) == 6


def test_providers_that_are_ready_stand_first(catalogue: Catalogue) -> None:
    view = home.view(catalogue, {}, "")
    first = view.stops[0]
    assert (first.name, first.models, first.href, first.readiness) == ("Acme", "2 models", "/models?providers=acme", Readiness("ready"))
    assert len(view.stops) + view.more_stops == int(view.providers)


def test_an_empty_catalogue_has_a_page_too(empty: Catalogue) -> None:
    view = home.view(empty, {}, "https://gateway.example")
    assert (view.models, view.example, view.example_works, view.featured) == ("0", None, False, ())
