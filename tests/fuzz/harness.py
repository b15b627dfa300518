"""Fuzz one target, guided by coverage: `python tests/fuzz/harness.py TARGET [libFuzzer's options] [folder of inputs]`.

It runs until something breaks, or for `-max_total_time=SECONDS`; the input that broke it is written to a file, whose name is printed, and
given to a target as the only argument after it that input runs alone. atheris has wheels for Linux on x86-64; elsewhere it needs clang.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

with atheris.instrument_imports(include=["trunkline.transport", "trunkline.api.connection", "trunkline.api.wire"]):
    from fuzz_targets import TARGETS


def main() -> None:
    """Hand over to libFuzzer, which ends the process."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
