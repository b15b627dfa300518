"""JSON schemas of callers, compiled once for the many requests that send the same.

Schemas are the caller's text: their size is bounded, and whoever compiles them takes care that patterns run in linear time and that
nothing is read from elsewhere. A schema that is unusable judges nothing.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

MAX_BYTES: Final = 64 * 1024


class Validator(Protocol):
    """A compiled schema."""

    def is_valid(self, instance: Any) -> bool: ...


class Schemas:
    """Validators by the text of their schema, for the `capacity` used last. For one thread at a time.

    `compile` makes one of a parsed schema, and raises ValueError for what is none.
    """

    def __init__(self, compile: Callable[[Any], Validator], capacity: int = 256) -> None:
        self._compile = compile
        self._capacity = capacity
        self._validators: OrderedDict[bytes, Validator | None] = OrderedDict()

    def validator(self, schema: bytes) -> Validator | None:
        """The validator of a schema in JSON; None where there is none, or one that is too long or unusable."""
        if not schema or len(schema) > MAX_BYTES:
            return None
        digest = hashlib.sha256(schema).digest()
        if digest in self._validators:
            self._validators.move_to_end(digest)
            return self._validators[digest]
        validator = self._validators[digest] = self._compiled(schema)
        if len(self._validators) > self._capacity:
            self._validators.popitem(last=False)
        return validator

    def _compiled(self, schema: bytes) -> Validator | None:
        try:
            return self._compile(msgspec.json.decode(schema))
        except (ValueError, RecursionError):
            return None
