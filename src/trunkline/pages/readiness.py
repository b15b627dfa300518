"""Whether an endpoint can be called, and if not, what its operator must set."""

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.protocol.catalogue import Endpoint
from trunkline.providers import addresses

_ENVIRONMENT = "env:"


class Readiness(Struct, frozen=True):
    """`state` is `ready`, `missing` (then `missing` names the variables to set) or `off` (no variable would help)."""

    state: str
    missing: tuple[str, ...] = ()


def readiness_of(catalogue: Catalogue, endpoint: Endpoint) -> Readiness:
    """Whether this endpoint of the catalogue can be called now."""
    if catalogue.is_available(endpoint):
        return Readiness("ready")
    missing = _variables(endpoint)
    return Readiness("missing", missing) if missing else Readiness("off")


def alternatives(catalogue: Catalogue, model_id: str) -> tuple[tuple[str, ...], ...]:
    """Sets of variables, each of which would make the model callable; empty when it is, or when none would."""
    if catalogue.available(model_id):
        return ()
    sets = (readiness_of(catalogue, endpoint).missing for endpoint in catalogue.endpoints_of(model_id))
    return tuple(dict.fromkeys(names for names in sets if names))


def _variables(endpoint: Endpoint) -> tuple[str, ...]:
    """The variables that the endpoint takes its secret and its address from; none for the local model, which is on or off."""
    if endpoint.launch:
        return ()
    source = endpoint.auth.source
    names = (source.removeprefix(_ENVIRONMENT) if source.startswith(_ENVIRONMENT) else None, addresses.variable(endpoint.base_url))
    return tuple(name for name in names if name)
