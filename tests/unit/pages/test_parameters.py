"""The table of parameters."""

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.vocabulary import PARAMETERS
from trunkline.pages import parameters


def test_every_parameter_of_the_contract_is_explained() -> None:
    assert set(parameters.TABLE) == PARAMETERS


def test_a_models_parameters_with_its_own_defaults_and_who_takes_them(catalogue: Catalogue) -> None:
    rows = {row.name: row for row in parameters.rows_of(catalogue, "acme/echo-1")}
    assert list(rows) == ["model", "messages", "stream", "models", "provider", "temperature", "tools"]
    assert [row.name for row in rows.values() if row.required] == ["model", "messages"]
    assert (rows["temperature"].default, rows["temperature"].only) == ("0.2", ())
    assert (rows["tools"].default, rows["tools"].only) == ("none", ("acme",))


def test_an_endpoint_that_names_none_takes_all(catalogue: Catalogue) -> None:
    names = {row.name for row in parameters.rows_of(catalogue, "acme/echo-1:free")}
    assert names >= PARAMETERS
