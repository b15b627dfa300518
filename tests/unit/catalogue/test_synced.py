import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.catalogue.differences import PriceChange
from trunkline.catalogue.synced import draft_of, merge, note_prices, price_log, synced_file
from trunkline.errors import ConfigError

MODELS = [{"id": "acme/echo-1", "name": "Echo"}]
ENDPOINTS = [{"model": "acme/echo-1", "provider": "acme", "upstream_model": "e", "pricing": {"prompt": "0", "completion": "0"}}]


def written(file: Path, *arguments: object) -> dict[str, object]:
    file.write_text(merge(file, *arguments))  # type: ignore[arg-type]
    return tomllib.loads(file.read_text())


def test_the_tables_are_written_as_toml(tmp_path: Path) -> None:
    file = tmp_path / "synced.toml"
    override = {"min_prompt_tokens": 5, "prompt": "0.1"}
    endpoints = [{**ENDPOINTS[0], "pricing": {"prompt": "0", "overrides": [override]}, "supported_parameters": ("tools", "stop")}]
    assert written(file, frozenset({"acme"}), MODELS, endpoints) == {
        "models": MODELS,
        "endpoints": [{**endpoints[0], "supported_parameters": ["tools", "stop"]}],
    }


def test_each_list_replaces_its_own_part_only(tmp_path: Path) -> None:
    file = tmp_path / "synced.toml"
    written(file, frozenset({"acme"}), MODELS, ENDPOINTS)
    both = written(file, frozenset({"other"}), [{"id": "acme/two"}], [{**ENDPOINTS[0], "model": "acme/two", "provider": "other"}])
    assert [table["model"] for table in both["endpoints"]] == ["acme/echo-1", "acme/two"]  # type: ignore[attr-defined]
    last = written(file, frozenset({"acme"}), [], [])
    assert last["models"] == [{"id": "acme/two"}]
    assert [table["model"] for table in last["endpoints"]] == ["acme/two"]  # type: ignore[attr-defined]


@given(st.text())
def test_no_text_breaks_the_file(text: str) -> None:
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        return
    rendered = merge(Path("/nonexistent/synced.toml"), frozenset(), [{"id": "a/b", "name": text, "is_moderated": True, "created": 5}], [])
    assert tomllib.loads(rendered)["models"] == [{"id": "a/b", "name": text, "is_moderated": True, "created": 5}]


def test_a_draft_lies_beside_the_file(tmp_path: Path) -> None:
    file = synced_file(tmp_path / "data")
    draft = draft_of(file, "x")
    assert draft.parent == file.parent and draft.read_text() == "x" and not file.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError, match=r"synced\.toml: it cannot be written"):
        draft_of(synced_file(tmp_path / "data"), "x")


def test_price_changes_are_appended(tmp_path: Path) -> None:
    log = price_log(tmp_path)
    log.parent.mkdir()
    note_prices(log, [], time="t", source="s")
    assert not log.exists()
    for time in ("2026-01-01", "2026-01-02"):
        note_prices(log, [PriceChange("a/b@c", {"prompt": "1"}, {"prompt": "2"})], time=time, source="list.json")
    lines = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
    assert [line["time"] for line in lines] == ["2026-01-01", "2026-01-02"]
    assert lines[0] == {
        "time": "2026-01-01",
        "endpoint": "a/b@c",
        "old": {"prompt": "1"},
        "new": {"prompt": "2"},
        "source": "list.json",
    }
