from datetime import date
from pathlib import Path

import pytest

from trunkline.catalogue.config import BenchmarkRow, Tables, read_config, tables_of
from trunkline.errors import ConfigError


def test_an_empty_file_is_fine() -> None:
    assert tables_of(b"", "trunkline.toml") == Tables()


def test_the_lists_of_tables() -> None:
    tables = tables_of(b'[[models]]\nid = "a/b"\n[[models]]\nid = "a/c"\n[[providers]]\nslug = "a"\n', "trunkline.toml")
    assert [table["id"] for table in tables.models] == ["a/b", "a/c"]
    assert tables.endpoints == ()


def test_how_long_generations_are_kept() -> None:
    assert tables_of(b"", "trunkline.toml").storage.generation_days is None
    assert tables_of(b"[storage]\ngeneration_days = 30\n", "trunkline.toml").storage.generation_days == 30


def test_what_routers_are_told() -> None:
    text = b'[routers.auto]\n"general:math" = ["a/*"]\n"*" = ["b/c"]\n[routers.coding_scores]\n"a/b" = 0.5\n'
    routers = tables_of(text, "trunkline.toml").routers
    assert routers.ranking("general:math") == ("a/*",)
    assert routers.ranking("general:legal") == ("b/c",)
    assert routers.coding_scores == {"a/b": 0.5}
    assert Tables().routers.ranking("general:math") == ()


def test_scores_of_benchmarks() -> None:
    text = b'[[benchmarks]]\nmodel = "a/b"\nprovider = "c/fp8"\nname = "tau2_airline"\nscore = 0.5\ndate = 2026-11-23\n'
    (row,) = tables_of(text, "trunkline.toml").benchmarks
    assert row == BenchmarkRow("a/b", "c/fp8", "tau2_airline", 0.5, date(2026, 11, 23))
    assert tables_of(text.replace(b"2026-11-23", b'"2026-11-23"'), "trunkline.toml").benchmarks == (row,)


_ROW = '[[benchmarks]]\nmodel = "a/b"\nprovider = "c"\nname = "gpqa_diamond"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[routers.auto]\n"general:maths" = []\n', "'general:maths'"),
        ('[routers.coding_scores]\n"a/b" = 1.1\n', "trunkline.toml: routers.coding_scores[...]: expected a number <= 1.0"),
        ("[[routers]]\n", "trunkline.toml: routers: expected a table, got a list"),
        ("[storage]\ngeneration_days = 0\n", "trunkline.toml: storage.generation_days: expected a whole number >= 1"),
        ("[storage]\ngeneration_days = 36501\n", "trunkline.toml: storage.generation_days: expected a whole number <= 36500"),
        ('[storage]\ngeneration_days = "30"\n', "trunkline.toml: storage.generation_days: expected a whole number, got text in quotes"),
        ("[storage]\ngeneration_day = 1\n", "trunkline.toml: storage.generation_day: there is no such key. Write instead: generation_days"),
        (_ROW + "score = 1.5\ndate = 2026-11-23\n", "trunkline.toml: benchmarks[0].score: expected a number <= 1.0"),
        (_ROW + "score = 0.5\n", "trunkline.toml: benchmarks[0]: "),
        (_ROW + 'score = 0.5\ndate = "yesterday"\n', "trunkline.toml: benchmarks[0].date: "),
        (_ROW.replace("gpqa", "gqpa"), "trunkline.toml: benchmarks[0].name: "),
        ("[benchmarks]\n", "trunkline.toml: benchmarks: one table where a list of tables is meant. Write instead: [[benchmarks]]"),
        ("[[storage]]\n", "trunkline.toml: storage: expected a table, got a list"),
        ("[[model]]\n", "trunkline.toml: model: there is no such key. Write instead: models"),
        ("[models]\nid = 1\n", "trunkline.toml: models: one table where a list of tables is meant. Write instead: [[models]]"),
        ("models = 1\n", "trunkline.toml: models: expected a list, got a whole number"),
        ("models = [1]\n", "trunkline.toml: models[0]: expected a table, got a whole number"),
        ("[[models]\n", "trunkline.toml: it is not TOML"),
    ],
)
def test_a_wrong_outline_is_named(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tables_of(text.encode(), "trunkline.toml")
    assert expected in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the file cannot be read: No such file or directory"):
        read_config(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="the file cannot be read: Is a directory"):
        read_config(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"binary\.toml: it is not UTF-8 text"):
        read_config(tmp_path / "binary.toml")


def test_hedging() -> None:
    assert not Tables().routing.hedging
    routing = tables_of(b"[routing]\nhedging = true\nhedging_extra_load = 0.1\n", "trunkline.toml").routing
    assert (routing.hedging, routing.hedging_extra_load) == (True, 0.1)
    for wrong in (b"0", b"0.11", b"-0.02", b'"2%"'):
        with pytest.raises(ConfigError, match=r"routing\.hedging_extra_load"):
            tables_of(b"[routing]\nhedging_extra_load = " + wrong, "trunkline.toml")
