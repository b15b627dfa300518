"""Copies of endpoints for callers' own credentials: one for each key that may serve a request (contract 3.11).

They are candidates like all others, so that every filter holds for them, too; the planner puts them before the instance's capacity, or
behind it. A copy keeps its endpoint's id, under which health, figures and prices are known; what it has of its own is the credential.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec import structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.own_keys import OwnKey
from trunkline.protocol.principal import Principal
from trunkline.providers import addresses

MOST_COPIES: Final = 20_000
"""Copies kept; beyond that all are made anew."""

Copies = Callable[[Catalogue, str], tuple[Endpoint, ...]]
"""Gives the copies for one caller of the endpoints of a model, by its id."""


class OwnKeys:
    """Makes the copies. `held` gives the keys of a caller in their order, from memory: it is asked for each request."""

    def __init__(self, held: Callable[[Principal], Sequence[OwnKey]]) -> None:
        self._held = held
        self._copies: dict[tuple[str, str], tuple[Endpoint, OwnKey, Endpoint]] = {}

    def of(self, principal: Principal) -> Copies | None:
        """The copies for a caller; None for one without keys, as most are."""
        keys = [key for key in self._held(principal) if _is_for(key, principal)]
        return partial(self._of_model, keys) if keys else None

    def _of_model(self, keys: Sequence[OwnKey], catalogue: Catalogue, model_id: str) -> tuple[Endpoint, ...]:
        endpoints = [endpoint for endpoint in catalogue.endpoints_of(model_id) if can_be_called(endpoint)]
        return tuple([self._copy(endpoint, key) for key in keys for endpoint in endpoints if serves(key, endpoint)])

    def _copy(self, endpoint: Endpoint, key: OwnKey) -> Endpoint:
        """The same object for the same endpoint and key, so that the way to it is prepared once."""
        known = self._copies.get((endpoint.id, key.id))
        if known is not None and known[0] is endpoint and known[1] == key:
            return known[2]
        if len(self._copies) >= MOST_COPIES:
            self._copies.clear()
        copy = copied(endpoint, key)
        self._copies[endpoint.id, key.id] = (endpoint, key, copy)
        return copy


def copied(endpoint: Endpoint, key: OwnKey) -> Endpoint:
    """The endpoint with a caller's credential in place of the instance's."""
    auth = structs.replace(endpoint.auth, source=key.source)
    return structs.replace(endpoint, auth=auth, byok=key.id, byok_fallback=key.fallback, byok_only=key.always)


def serves(key: OwnKey, endpoint: Endpoint) -> bool:
    """Whether a key opens an endpoint, and its owner lets it serve the model."""
    return key.provider == endpoint.provider and (key.models is None or endpoint.model in key.models)


def can_be_called(endpoint: Endpoint) -> bool:
    """Whether the endpoint lacks nothing but a credential: it is no child of this server's, and its address is complete."""
    return endpoint.auth.style != "none" and not endpoint.launch and not addresses.variables(endpoint.base_url)


def _is_for(key: OwnKey, principal: Principal) -> bool:
    if key.key_hashes is not None and principal.key_hash not in key.key_hashes:
        return False
    return key.user_ids is None or principal.creator_user_id in key.user_ids
