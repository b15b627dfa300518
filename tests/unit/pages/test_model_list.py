"""The list of models: the query is the state."""

import pytest

from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import ApiError
from trunkline.pages import model_list
from trunkline.pages.model_list import ListView

NOW = 1_790_000_000.0


def listed(catalogue: Catalogue, query: str, tokens: dict[str, int] | None = None) -> ListView:
    return model_list.view(catalogue, tokens or {}, model_list.parse_fields(query.encode()), now=NOW)


def ids(view: ListView) -> list[str]:
    return [row.id for row in view.rows]


def test_without_a_query_all_models_are_listed_newest_first(catalogue: Catalogue) -> None:
    view = listed(catalogue, "")
    assert set(ids(view)) == set(catalogue.models)
    assert view.count == f"{len(catalogue.models)} models"
    days = [row.released.iso for row in view.rows]
    assert days == sorted(days, reverse=True)
    assert not view.filtered


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=echo", ["acme/echo-1:free", "acme/echo-1"]),
        ("model_authors=acme&max_price=0", ["acme/echo-1:free"]),
        ("providers=zeta", ["acme/echo-1", "zeta/vector-1"]),
        ("model_authors=acme&input_modalities=image", ["acme/echo-1"]),
        ("model_authors=acme&context=100000", ["acme/echo-1"]),
        ("model_authors=acme&sort=pricing-high-to-low", ["acme/echo-1", "acme/echo-1:free"]),
        ("available=true", ["acme/echo-1:free", "acme/echo-1"]),
        ("q=echo&providers=&context=", ["acme/echo-1:free", "acme/echo-1"]),
    ],
)
def test_filters_and_order(catalogue: Catalogue, query: str, expected: list[str]) -> None:
    assert ids(listed(catalogue, query)) == expected


def test_the_most_used_come_first_when_asked_for(catalogue: Catalogue) -> None:
    assert ids(listed(catalogue, "sort=top-weekly", {"zeta/vector-1": 7}))[0] == "zeta/vector-1"


def test_the_form_shows_the_query_again(catalogue: Catalogue) -> None:
    view = listed(catalogue, "q=echo&available=true&context=128000&max_price=0.7&sort=top-weekly")
    chosen = {menu.name: [option.value for option in menu.options if option.chosen] for menu in view.menus}
    assert (view.q, view.callable_only, view.filtered) == ("echo", True, True)
    assert chosen == {
        "input_modalities": [""],
        "model_authors": [""],
        "providers": [""],
        "max_price": ["0.7"],
        "context": ["128000"],
        "sort": ["top-weekly"],
    }


def test_menus_offer_what_the_catalogue_has(catalogue: Catalogue) -> None:
    menus = {menu.name: {option.label for option in menu.options} for menu in listed(catalogue, "").menus}
    assert {"Acme Labs", "zeta", "OpenAI"} <= menus["model_authors"]
    assert {"Acme", "Zeta"} <= menus["providers"]
    assert "Ollama" not in menus["providers"]


def test_the_api_gets_the_same_query(catalogue: Catalogue) -> None:
    assert listed(catalogue, "q=a+b&context=1").api_query == "output_modalities=all&q=a+b&context=1"


def test_a_bad_query_lists_nothing_and_says_why(catalogue: Catalogue) -> None:
    view = listed(catalogue, "context=lots")
    assert "`context`" in view.problem
    assert view.rows == ()


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(ApiError, match="100 query fields"):
        model_list.parse_fields(b"&".join([b"q=1"] * 101))
