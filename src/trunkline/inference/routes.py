"""Everything about an endpoint that can be prepared before a request comes: the upstream request head, and how bodies are rewritten for
it."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from trunkline.dialects.chat import prepare
from trunkline.protocol.catalogue import Endpoint
from trunkline.providers.credentials import Credentials
from trunkline.transport.client import Client
from trunkline.transport.target import Target

USER_AGENT = "trunkline"
PATHS = {"chat": "/chat/completions"}
"""The path of each dialect's generation call below an endpoint's base URL."""

Launch = Callable[[], Awaitable[None]]


class Route(Struct, frozen=True):
    """The prepared way to one endpoint. `launch` starts the child that serves it, where there is one."""

    endpoint: Endpoint
    target: Target
    splicer: prepare.Splicer
    launch: Launch | None


class Routes:
    """Routes by endpoint id, made at first use and kept until the catalogue is replaced (endpoint ids are bounded by the catalogue).

    `credentials` may be replaced together with the catalogue.
    """

    def __init__(self, client: Client, credentials: Credentials, launchers: Mapping[str, Launch]) -> None:
        self._client = client
        self.credentials = credentials
        self._launchers = launchers
        self._routes: dict[str, Route] = {}

    def to(self, endpoint: Endpoint) -> Route:
        """The route to an endpoint. Raises EgressDenied for a URL that may not be called."""
        route = self._routes.get(endpoint.id)
        if route is None or route.endpoint is not endpoint:
            route = self._routes[endpoint.id] = self._make(endpoint)
        return route

    def _make(self, endpoint: Endpoint) -> Route:
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "user-agent": USER_AGENT,
            **(self.credentials.headers(endpoint) or {}),
        }
        url = endpoint.base_url.rstrip("/") + PATHS[endpoint.dialect]
        target = self._client.target("POST", url, headers, operator_url=endpoint.operator_url)
        return Route(endpoint, target, prepare.compile(endpoint), self._launchers[endpoint.launch] if endpoint.launch else None)
