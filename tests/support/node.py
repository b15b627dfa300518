"""Node.js and the packages that a folder's lock file names, for tests that run programs of npm."""

import os
import shutil
from pathlib import Path

import pytest


def node(folder: Path) -> str:
    """The path of Node.js. Where it or the folder's packages are missing, the test is skipped, and fails in CI."""
    found = shutil.which("node")
    if found is None or not (folder / "node_modules").is_dir():
        assert os.environ.get("CI") != "true", f"Node.js or its packages are missing: scripts/npm-packages {folder}"
        pytest.skip(f"Node.js or its packages are missing: scripts/npm-packages {folder}")
    return found
