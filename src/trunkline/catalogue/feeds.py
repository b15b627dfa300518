"""What a public list of models says, whoever wrote it, and how its bytes are read.

A list is untrusted: whatever is too long, of the wrong type or no price makes all of it a ConfigError.
"""

from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from trunkline.errors import ConfigError
from trunkline.protocol.money import MAX_USD, PICO_PER_USD

T = TypeVar("T")

LARGEST_LIST = 64 * 1024 * 1024
"""Bytes of the longest list that is read."""

Name = Annotated[str, Meta(max_length=256)]
Words = Annotated[tuple[Name, ...], Meta(max_length=100)]
Tokens = Annotated[int, Meta(ge=0, le=10**9)]


class Listed(Struct, frozen=True, kw_only=True):
    """What a list says of one model at one provider. `rates` are pico-dollars by price key; None in another field = it does not say.
    `model` is a `[[models]]` table, from lists that describe models."""

    provider: str
    upstream_model: str
    rates: Mapping[str, int]
    overrides: tuple[Mapping[str, object], ...] | None = None
    context_length: int | None = None
    max_completion_tokens: int | None = None
    supported_parameters: tuple[str, ...] | None = None
    model: Mapping[str, object] | None = None


class Feed(Struct, frozen=True, kw_only=True):
    """One list, by provider and the provider's name of the model. `providers` are those that it speaks for; `skipped` counts rows that are
    no model with a price of its own. `complete`: a rate that it does not name does not exist."""

    source: str
    providers: frozenset[str]
    rows: Mapping[tuple[str, str], Listed]
    skipped: int = 0
    complete: bool = False


def decode(text: bytes, shape: type[T], source: str) -> T:
    """`text` as JSON of that shape. Raises ConfigError, which names the place and shows no more than a line."""
    if len(text) > LARGEST_LIST:
        raise ConfigError(source, f"the list is longer than {LARGEST_LIST} bytes")
    try:
        return msgspec.json.decode(text, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(source, f"this is not the list that was expected: {str(error)[:300]}") from None


def rate(value: str | float, where: str, *, per: int = 1) -> int:
    """USD for `per` units as pico-dollars a unit, to the nearest. Raises ConfigError for what is no price."""
    try:
        amount = Decimal(value if isinstance(value, str) else repr(value)) / per
        if not 0 <= amount <= MAX_USD:
            raise ConfigError(where, f"{value!r} is no price", f"USD from 0 to {MAX_USD}")
    except DecimalException:
        raise ConfigError(where, f"{value!r} is no price", f"USD from 0 to {MAX_USD}") from None
    return int((amount * PICO_PER_USD).to_integral_value())
