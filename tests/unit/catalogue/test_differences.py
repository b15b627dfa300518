from pathlib import Path

import pytest
from msgspec import structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.differences import compare, price_changes, pricing_of, tables
from trunkline.catalogue.feeds import Feed, Listed
from trunkline.catalogue.load import load
from trunkline.protocol.catalogue import PriceOverride, Pricing

ROW = Listed(
    provider="acme",
    upstream_model="acme/echo-1",
    rates={"prompt": 1_000_000, "completion": 2_000_000},
    context_length=1000,
    supported_parameters=("tools", "temperature"),
    model={"id": "acme/echo-1", "name": "Echo"},
)
TIER = PriceOverride(rates={"prompt": 9}, min_prompt_tokens=100)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    file = tmp_path / "t.toml"
    file.write_text("""
[[providers]]
slug = "acme"
name = "Acme"
base_url = "http://127.0.0.1:9001/v1"

[[models]]
id = "acme/echo-1"
name = "Echo"
context_length = 1000

[[endpoints]]
model = "acme/echo-1"
provider = "acme"
upstream_model = "acme/echo-1"
supported_parameters = ["temperature", "tools"]
pricing = { prompt = "0.000001", completion = "0.000002" }
""")
    return load(file, {})


def feed(*rows: Listed, complete: bool = True) -> Feed:
    return Feed(
        source="list", providers=frozenset({"acme"}), rows={(row.provider, row.upstream_model): row for row in rows}, complete=complete
    )


def test_agreement(catalogue: Catalogue) -> None:
    assert compare(catalogue, feed(ROW)) == []
    assert price_changes(catalogue, feed(ROW)) == []
    assert tables(catalogue, feed(ROW)) == ([], [])


def test_what_changed_is_told_fact_by_fact(catalogue: Catalogue) -> None:
    row = structs.replace(
        ROW,
        rates={"prompt": 3_000_000, "completion": 2_000_000, "image": 5},
        context_length=2000,
        supported_parameters=("tools",),
        model={"id": "acme/echo-1", "name": "Echo One", "expiration_date": "2027-01-01"},
    )
    assert [(line.kind, line.fact, line.old, line.new) for line in compare(catalogue, feed(row))] == [
        ("changed", "price.prompt", "0.000001", "0.000003"),
        ("changed", "price.image", "", "0.000000000005"),
        ("changed", "context_length", "1000", "2000"),
        ("changed", "supported_parameters", "temperature tools", "tools"),
        ("changed", "model.name", "Echo", "Echo One"),
        ("changed", "model.expiration_date", "", "2027-01-01"),
    ]
    (change,) = price_changes(catalogue, feed(row))
    assert (change.endpoint, change.old["prompt"], change.new["prompt"]) == ("acme/echo-1@acme", "0.000001", "0.000003")
    models, endpoints = tables(catalogue, feed(row))
    assert models == [{"id": "acme/echo-1", "name": "Echo One", "expiration_date": "2027-01-01"}]
    assert endpoints[0]["pricing"] == {"prompt": "0.000003", "completion": "0.000002", "request": "0", "image": "0.000000000005"}


def test_new_and_vanished_models(catalogue: Catalogue) -> None:
    new = structs.replace(ROW, upstream_model="acme/echo-2", model={"id": "acme/echo-2", "name": "Two"})
    lines = compare(catalogue, feed(new))
    assert [(line.kind, line.subject) for line in lines] == [("added", "acme/echo-2@acme"), ("removed", "acme/echo-1@acme")]
    models, endpoints = tables(catalogue, feed(new))
    assert models == [{"id": "acme/echo-2", "name": "Two"}]
    assert [endpoint["model"] for endpoint in endpoints] == ["acme/echo-2"]


def test_a_list_without_models_adds_none(catalogue: Catalogue) -> None:
    row = structs.replace(ROW, upstream_model="unheard-of", model=None)
    assert [line.kind for line in compare(catalogue, feed(ROW, row, complete=False))] == []


def test_what_a_list_does_not_say_is_left_alone(catalogue: Catalogue) -> None:
    row = Listed(provider="acme", upstream_model="acme/echo-1", rates={})
    assert compare(catalogue, feed(row, complete=False)) == []


def test_a_complete_list_takes_rates_away_and_another_does_not() -> None:
    before = Pricing(prompt=1, completion=2, request=3, image=4)
    row = structs.replace(ROW, rates={"prompt": 1, "completion": 2})
    assert pricing_of(before, row, complete=True) == Pricing(prompt=1, completion=2, request=3)
    assert pricing_of(before, row, complete=False) == before


def test_tiers_stay_until_the_price_changes_or_the_list_has_its_own() -> None:
    before = Pricing(prompt=1, completion=2, overrides=(TIER,))
    same, other = structs.replace(ROW, rates={"prompt": 1, "completion": 2}), structs.replace(ROW, rates={"prompt": 5, "completion": 2})
    assert pricing_of(before, same, complete=True) == before
    assert pricing_of(before, other, complete=True).overrides == ()
    own = structs.replace(same, overrides=({"min_prompt_tokens": 50, "prompt": 7},))
    assert pricing_of(before, own, complete=True).overrides == (PriceOverride(rates={"prompt": 7}, min_prompt_tokens=50),)
    assert pricing_of(before, structs.replace(same, overrides=()), complete=True).overrides == ()


def test_the_tables_load_to_the_price_of_the_list(catalogue: Catalogue) -> None:
    row = structs.replace(ROW, overrides=({"min_prompt_tokens": 50, "prompt": 7},))
    (table,) = tables(catalogue, feed(row))[1]
    assert table["pricing"] == {
        "prompt": "0.000001",
        "completion": "0.000002",
        "request": "0",
        "overrides": [{"min_prompt_tokens": 50, "prompt": "0.000000000007"}],
    }
