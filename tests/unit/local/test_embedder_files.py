"""The files of the embedding model."""

from pathlib import Path

import pytest

from trunkline.local import embedder_files
from trunkline.local.packed import PackedFile


def test_packages_are_pinned() -> None:
    for file in embedder_files.FILES:
        assert file.package.count("==") == 1 and len(file.sha256) == 64
    assert len({file.name for file in embedder_files.FILES}) == len(embedder_files.FILES)


def test_it_is_installed_when_all_files_and_the_engine_are_there(tmp_path: Path) -> None:
    assert not embedder_files.installed(tmp_path, engine=True)
    for file in embedder_files.FILES:
        with (tmp_path / file.name).open("wb") as out:
            out.truncate(file.size)
    assert embedder_files.installed(tmp_path, engine=True)
    assert not embedder_files.installed(tmp_path, engine=False)


def test_all_files_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PackedFile, "fetch", lambda self, directory: directory / self.name)
    assert embedder_files.fetch(tmp_path) == [tmp_path / file.name for file in embedder_files.FILES]
