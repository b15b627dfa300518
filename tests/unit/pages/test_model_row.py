"""The row of a model in lists."""

from trunkline.catalogue.catalogue import Catalogue
from trunkline.pages.formats import Day
from trunkline.pages.model_row import path_of, row_of, rows_of, split_name


def test_a_row_shows_the_headline_price_and_what_is_missing(catalogue: Catalogue) -> None:
    echo = row_of(catalogue, catalogue.models["acme/echo-1"], {"acme/echo-1": 5_310_000_000})
    assert (echo.name, echo.author, echo.href, echo.author_href) == ("Echo 1", "Acme Labs", "/acme/echo-1", "/acme")
    assert (echo.input_price, echo.output_price, echo.context, echo.tokens) == ("$1.75", "$14", "128K", "5.31B")
    assert (echo.released, echo.available, echo.missing, echo.going_away) == (Day("2025-12-10", "Dec 10, 2025"), True, (), None)

    vector = row_of(catalogue, catalogue.models["zeta/vector-1"], {})
    assert (vector.available, vector.missing, vector.tokens) == (False, (("ZETA_API_KEY", "ZETA_BASE_URL"),), "0")
    assert vector.going_away == Day("2027-01-31", "Jan 31, 2027")


def test_rows_keep_their_order(catalogue: Catalogue) -> None:
    models = [catalogue.models[id] for id in ("zeta/vector-1", "acme/echo-1")]
    assert [row.id for row in rows_of(catalogue, models, {})] == ["zeta/vector-1", "acme/echo-1"]


def test_paths_keep_the_variant_and_quote_the_rest() -> None:
    assert path_of("acme/echo-1:free") == "/acme/echo-1:free"
    assert path_of("acme/a b?c") == "/acme/a%20b%3Fc"


def test_names_with_and_without_their_author(catalogue: Catalogue) -> None:
    assert split_name(catalogue.models["acme/echo-1"], "Acme Labs") == ("Acme", "Echo 1")
    assert split_name(catalogue.models["zeta/vector-1"], "zeta") == ("zeta", "Vector 1")
