from pathlib import Path

import pytest

from trunkline.local import presence, weights


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights of three bytes, which is their full size here."""
    monkeypatch.setattr(weights, "SIZE", 3)
    (tmp_path / weights.FILE_NAME).write_bytes(b"abc")
    return tmp_path


def test_nothing_to_say_when_all_is_there(folder: Path) -> None:
    assert presence.installed(folder, engine=True) == presence.Presence(engine=True, weights=True, reason="")
    assert presence.installed(folder, engine=True).complete


def test_a_missing_engine_is_explained_with_the_platform(folder: Path) -> None:
    found = presence.installed(folder, engine=False)
    assert not found.complete
    assert "xllamacpp" in found.reason and " on " in found.reason and found.reason.count(". ") == 0


def test_missing_weights_are_explained_with_the_command(tmp_path: Path) -> None:
    found = presence.installed(tmp_path, engine=True)
    assert not found.complete and "trunkline local fetch" in found.reason and str(tmp_path) in found.reason


def test_the_engine_is_looked_for_without_importing_it() -> None:
    assert presence.has_engine("email")
    assert not presence.has_engine("no_such_engine")
