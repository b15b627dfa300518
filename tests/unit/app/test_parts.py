"""What loads only when it is used."""

import subprocess
import sys
from pathlib import Path

import pytest

from trunkline.app import parts

START = """
import asyncio, sys
from pathlib import Path
from trunkline import cli, settings
from trunkline.app.composition import Gateway
from trunkline.app.environment import LocalPlace
from trunkline.storage.engines import open_storage

async def run(folder):
    chosen = settings.load({"data_dir": str(folder)}, {})
    gateway = Gateway(chosen, {}, open_storage(chosen), LocalPlace(None, "k", folder / "none", "off"), "http://127.0.0.1:1")
    await gateway.start()
    await gateway.stop()

asyncio.run(run(Path(sys.argv[1])))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_a_plain_start_loads_none_of_them(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", START, str(tmp_path)], capture_output=True, text=True, check=True, cwd=tmp_path)
    loaded = set(done.stdout.split())
    assert "trunkline" in loaded
    assert not loaded & {part.package for part in parts.PARTS.values()}
    assert not loaded & {"pydantic", "attr", "attrs"}, "the web framework loads what is not used (app/framework.py)"


@pytest.mark.parametrize("name", parts.PARTS)
def test_every_part_is_where_the_table_says(name: str) -> None:
    part = parts.find(name)
    assert isinstance(part, parts.Part)
    with pytest.raises((TypeError, ValueError)):
        part(b"", b"", b"", b"", b"", b"")


def test_a_part_is_called_with_what_it_gets() -> None:
    assert parts.Part("operator", "add", "operator")(1, 2) == 3


def test_a_part_whose_package_is_absent_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PARTS", {"x": parts.Part("nowhere.at_all", "f", "nowhere_at_all")})
    assert parts.find("x") is None
