import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from trunkline.local import embedder_files, presence, weights


def run(cache: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command with its own cache folder."""
    environ = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-m", "trunkline.local"]
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False)


@pytest.mark.skipif(not presence.has_engine(), reason="the local model's engine is not installed")
def test_a_failure_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = run(blocked)
    assert done.returncode == 1
    assert done.stderr.startswith("The local model is off: the weights cannot be written") and done.stderr.count("\n") == 1


@pytest.mark.skipif(not presence.has_engine(), reason="the local model's engine is not installed")
def test_weights_that_are_there_are_named(tmp_path: Path) -> None:
    folder = weights.default_directory({"XDG_CACHE_HOME": str(tmp_path)})
    folder.mkdir(parents=True)
    sizes = {weights.FILE_NAME: weights.SIZE} | {file.name: file.size for file in embedder_files.FILES}
    for name, size in sizes.items():
        with (folder / name).open("wb") as file:
            file.truncate(size)
    done = run(tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"Local model: {folder / weights.FILE_NAME} (98 MB)",
        f"Local embedding model: {folder / embedder_files.MODEL.name} (23 MB)",
    ]


def test_a_machine_without_the_engine_is_told_so_and_setup_goes_on(tmp_path: Path) -> None:
    (tmp_path / "msgspec").symlink_to(Path(msgspec.__file__).parent)
    environ = {"PYTHONPATH": f"{Path(presence.__file__).parents[2]}:{tmp_path}", "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-S", "-m", "trunkline.local"]  # -S: no site-packages, so no engine
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is not installed" in done.stdout and not (tmp_path / "trunkline").exists()
