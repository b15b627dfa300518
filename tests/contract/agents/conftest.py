"""Where the agents run."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import NOTE, Exit, Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A new place; at its end nobody has tried to leave it."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    (work / "note.txt").write_text(f"{NOTE}\n")
    with Exit() as way_out:
        threading.Thread(target=way_out.serve_forever, daemon=True).start()
        yield Place(home, work, way_out)
        way_out.shutdown()
        assert way_out.heard == []
        assert [path.name for path in work.iterdir()] == ["note.txt"]
