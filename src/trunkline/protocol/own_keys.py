"""Callers' own credentials for providers, as far as the way of a request needs to know them (contract 3.11)."""

from msgspec import Struct


class OwnKey(Struct, frozen=True, kw_only=True):
    """One credential of a caller's own, without its secret.

    `source` is where that is found, in the words of `Auth.source`. `fallback`: it serves after the instance's own capacity, not before.
    `always`: where it serves, its owner wants no other capacity of the provider. The others say for what it serves, None = for anything:
    `models` by id, `key_hashes` and `user_ids` of the callers.
    """

    id: str
    provider: str
    source: str
    fallback: bool = False
    always: bool = False
    models: frozenset[str] | None = None
    key_hashes: frozenset[str] | None = None
    user_ids: frozenset[str] | None = None
