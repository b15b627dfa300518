"""Whether this machine can run the local model, and if not, why, in one sentence."""

import importlib.util
import platform
from pathlib import Path

from msgspec import Struct

from trunkline.local import weights

ENGINE = "xllamacpp"
"""The engine's module; the package's `local` extra brings it where a wheel exists."""


class Presence(Struct, frozen=True):
    """What is there. `reason` is empty when both are, else what a person reads after "the local model is off: "."""

    engine: bool
    weights: bool
    reason: str

    @property
    def complete(self) -> bool:
        """Whether the local model can be started."""
        return self.engine and self.weights


def has_engine(module: str = ENGINE) -> bool:
    """Whether the engine is installed; it is not imported for this."""
    return importlib.util.find_spec(module) is not None


def installed(directory: Path, *, engine: bool | None = None) -> Presence:
    """What of the local model is installed. `directory` holds the weights; `engine` overrides the look for the engine's module."""
    engine_there = has_engine() if engine is None else engine
    weights_there = weights.is_complete(directory)
    return Presence(engine_there, weights_there, _reason(engine_there, weights_there, directory))


def _reason(engine: bool, weights_there: bool, directory: Path) -> str:
    if not engine:
        return (
            f"The local model is off: its engine ({ENGINE}) is not installed; it has wheels for Linux on x86-64, and this is {_platform()}"
        )
    if not weights_there:
        return f"its weights are not in {directory}; `trunkline local fetch` gets them"
    return ""


def _platform() -> str:
    return f"{platform.system() or 'an unknown system'} on {platform.machine() or 'an unknown machine'}"
