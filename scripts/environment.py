"""Runs a command without the variables that would let it reach somebody's account, somebody's proxy or somebody's Trunkline.

    python scripts/environment.py COMMAND [ARGUMENT...]

Tests use `private_names` themselves, so that they behave the same however they are started.
"""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

PROVIDER_DATA = Path(__file__).resolve().parent.parent / "src" / "trunkline" / "providers" / "data"
PATTERN = re.compile(
    r".*_API_KEY(_FILE)?|.*_API_TOKEN|.*_AUTH_TOKEN|(TRUNKLINE|OPENAI|ANTHROPIC|OPENROUTER|OLLAMA|VLLM|AZURE|AWS|GOOGLE|GCLOUD|HF|LITELLM)_.*"
    r"|(https?|all|no|ftp)_proxy",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\benv:([A-Za-z_][A-Za-z0-9_]*)")


def declared_names(folder: Path = PROVIDER_DATA) -> frozenset[str]:
    """The variables that the built-in provider records name."""
    return frozenset(name for file in folder.glob("*.toml") for name in _REFERENCE.findall(file.read_text(encoding="utf-8")))


def private_names(environ: Iterable[str], declared: frozenset[str]) -> list[str]:
    """The names in `environ` that a test or a benchmark must not see."""
    return sorted(name for name in environ if name in declared or PATTERN.fullmatch(name))


def main() -> None:
    """Replaces this process by the command."""
    for name in private_names(list(os.environ), declared_names()):
        del os.environ[name]
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: {sys.argv[0]} COMMAND [ARGUMENT...]")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
