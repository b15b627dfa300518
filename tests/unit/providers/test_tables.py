from typing import Literal

import pytest
from msgspec import Struct

from trunkline.errors import ConfigError
from trunkline.providers.tables import key_path, one_of, parse, read, suggest


class Inner(Struct, frozen=True):
    depth: int = 0


class Outer(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    mode: Literal["fast", "slow"] = "fast"
    inner: Inner = Inner()
    rows: tuple[Inner, ...] = ()


def refused(table: object) -> str:
    with pytest.raises(ConfigError) as caught:
        read(table, Outer, "acme.toml: things[1]")
    return str(caught.value)


def test_a_table_that_fits_becomes_the_struct() -> None:
    assert read({"name": "a", "rows": [{"depth": 2}]}, Outer, "acme.toml: ") == Outer(name="a", rows=(Inner(2),))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"name": "a", "mod": "fast"}, "acme.toml: things[1].mod: there is no such key. Write instead: mode"),
        ({"name": "a", "inner": {"dept": 1}}, "acme.toml: things[1].inner.dept: there is no such key. Write instead: depth"),
        ({"name": "a", "rows": [{}, {"x": 1}]}, "acme.toml: things[1].rows[1].x: there is no such key. Write instead: one of depth"),
        ({"name": "a", "mode": "fats"}, "acme.toml: things[1].mode: 'fats' is not known. Write instead: fast"),
        ({"name": 7}, "acme.toml: things[1].name: expected text in quotes, got a whole number"),
        ({"name": "a", "inner": {"depth": "x"}}, "acme.toml: things[1].inner.depth: expected a whole number, got text in quotes"),
        ({"name": "a", "rows": {}}, "acme.toml: things[1].rows: expected a list, got a table"),
        ({}, "acme.toml: things[1]: the table lacks the key name"),
        ("text", "acme.toml: things[1]: expected a table, got text in quotes"),
    ],
)
def test_each_mistake_names_its_place_and_the_remedy(table: object, expected: str) -> None:
    assert refused(table) == expected


def test_places_inside_a_file_and_inside_a_table() -> None:
    assert key_path("a.toml: ", "models") == "a.toml: models"
    assert key_path("a.toml: models[0]", "", "id") == "a.toml: models[0].id"
    assert key_path("a.toml: ", "") == "a.toml"


def test_text_that_is_not_toml_names_the_line() -> None:
    with pytest.raises(ConfigError, match=r"a\.toml: it is not TOML: .*line 2"):
        parse(b"a = 1\nb = = 2", "a.toml")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        parse(b"\xff\xfe", "a.toml")
    assert parse("a = 'ü'".encode(), "a.toml") == {"a": "ü"}


def test_suggestions() -> None:
    assert suggest("pric", ["price", "name"]) == "price"
    assert suggest("NAM", ["price", "Name"]) == "Name"
    assert suggest("zzz", ["price", "name"]) == "one of name, price"
    assert one_of("price", ["price"], "here") == "price"
    with pytest.raises(ConfigError, match=r"here: 'prise' is not known\. Write instead: price"):
        one_of("prise", ["price"], "here")
