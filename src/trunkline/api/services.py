"""What the API is built on: the objects and questions that `app.composition` hands in."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from trunkline.accounts.keys import Keys
from trunkline.api.credits import Totals
from trunkline.auth.authenticator import Authenticator
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.statistics import EndpointStats, ModelStats
from trunkline.metering.recorder import Recorder
from trunkline.settings import Settings


class ApiServices(Struct, frozen=True, kw_only=True):
    """The rooms below, as the API sees them.

    `catalogue` gives the catalogue in force (another object after a reload); `keys_changed` lets authentication see a change of
    keys at once (`KeyDirectory.refresh`); `credits` gives the account's totals; `weekly_tokens` the tokens of the last seven days
    by model id; `endpoint_stats` what was measured of an endpoint, by its id, `model_stats` of all models, by theirs; `site` is
    the origin of the web pages, without a slash at its end; `hedging` gives the counters of hedging, None while there is none.
    """

    catalogue: Callable[[], Catalogue]
    authenticator: Authenticator
    keys: Keys
    keys_changed: Callable[[], Awaitable[None]]
    credits: Totals
    recorder: Recorder
    settings: Settings
    weekly_tokens: Callable[[], Mapping[str, int]]
    endpoint_stats: Callable[[str], EndpointStats | None]
    model_stats: Callable[[], Mapping[str, ModelStats]]
    site: str
    hedging: Callable[[], Mapping[str, float] | None]
