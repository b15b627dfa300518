"""Parts that are heavy to load or may be absent, as one table. They load when they are first called, and nowhere else.

Engines of databases have a table of their own (`storage.engines`), and what runs in child processes needs none.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from msgspec import Struct


class Part(Struct, frozen=True):
    """A function or class by its place, and the package without which it is not there."""

    module: str
    name: str
    package: str

    def __call__(self, *arguments: Any) -> Any:
        """Load the part, unless it is loaded, and call it."""
        return getattr(import_module(self.module), self.name)(*arguments)


PARTS: Final[Mapping[str, Part]] = {
    "google_keys": Part("trunkline.providers.google_keys", "read_key", "cryptography"),
    "aws_session": Part("botocore.session", "Session", "botocore"),
}
"""Each with what it costs to load on an idle machine: cryptography 18 ms, botocore 250 ms."""


def find(name: str) -> Callable[..., Any] | None:
    """The part with this name, not loaded yet; None where its package is not installed."""
    part = PARTS[name]
    return None if find_spec(part.package) is None else part
