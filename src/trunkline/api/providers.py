"""`GET /providers`: who serves models here, and where their terms are."""

from collections.abc import Callable

from trunkline.api.call import Call, Reply, reply
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.views import provider_view


class Providers:
    """The tag Providers, over the catalogue in force."""

    def __init__(self, catalogue: Callable[[], Catalogue]) -> None:
        self._catalogue = catalogue

    async def list(self, _call: Call) -> Reply:
        """All providers of the catalogue, by name."""
        providers = sorted(self._catalogue().providers.values(), key=lambda provider: provider.name.casefold())
        return reply({"data": [provider_view(provider) for provider in providers]})
