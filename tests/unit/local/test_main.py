import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from trunkline.local import presence, weights


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
    path = weights.default_directory({"XDG_CACHE_HOME": str(tmp_path)}) / weights.FILE_NAME
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(weights.SIZE)
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (0, f"Local model: {path} (98 MB)\n")


def test_a_machine_without_the_engine_is_told_so_and_setup_goes_on(tmp_path: Path) -> None:
    (tmp_path / "msgspec").symlink_to(Path(msgspec.__file__).parent)
    environ = {"PYTHONPATH": f"{Path(presence.__file__).parents[2]}:{tmp_path}", "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-S", "-m", "trunkline.local"]  # -S: no site-packages, so no engine
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is not installed" in done.stdout and not (tmp_path / "trunkline").exists()
