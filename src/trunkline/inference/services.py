"""What inference works with, as one value."""

from collections.abc import Callable

from msgspec import Struct

from trunkline.auth.authenticator import Authenticator
from trunkline.catalogue.catalogue import Catalogue
from trunkline.health.monitor import Monitor
from trunkline.health.stickiness import Stickiness
from trunkline.inference.attempts import Attempts
from trunkline.inference.cached import Cache
from trunkline.inference.ledger import Ledger
from trunkline.inference.own_keys import OwnKeys
from trunkline.inference.routers import Routers
from trunkline.inference.routes import Route
from trunkline.inference.samples import Samples
from trunkline.inference.staging import Staging
from trunkline.inference.upstream import Upstream
from trunkline.inference.watch import Drains
from trunkline.limits.budgets import Budgets
from trunkline.metering.estimates import Estimates


class Services(Struct, frozen=True):
    """What the pipeline works with; `app.composition` builds it. `catalogue` returns the catalogue in force, which a reload replaces;
    `own_host` is the server's own name, from which no region is read (`protocol.regions`)."""

    catalogue: Callable[[], Catalogue]
    authenticator: Authenticator
    budgets: Budgets
    estimates: Estimates
    health: Monitor
    attempts: Attempts[Route]
    upstream: Upstream
    ledger: Ledger
    drains: Drains
    staging: Staging | None = None
    cache: Cache | None = None
    routers: Routers | None = None
    stickiness: Stickiness | None = None
    own_host: str = ""
    own_keys: OwnKeys | None = None
    samples: Samples | None = None
