"""Everything about an endpoint that can be prepared before a request comes: the upstream request heads, and how bodies are rewritten for
it."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct, field

from trunkline.inference.ways import OUTBOUND, Way, translation, way
from trunkline.protocol.catalogue import Dialect, Endpoint
from trunkline.providers.credentials import Credentials
from trunkline.transport.client import Client
from trunkline.transport.target import Target

USER_AGENT = "trunkline"

Launch = Callable[[], Awaitable[None]]


class Route(Struct, frozen=True):
    """The prepared way to one endpoint: where whole and streamed answers are asked for. `launch` starts the child that serves it, where
    there is one. `ways` fills with the client dialects that were used."""

    endpoint: Endpoint
    whole: Target
    streamed: Target
    launch: Launch | None
    ways: dict[str, Way] = field(default_factory=dict)

    def way(self, dialect: Dialect, *, edited: bool = False) -> Way:
        """How requests of a client dialect get there, made at first use; an edited request can only be translated."""
        name = "" if edited else dialect
        known = self.ways.get(name)
        if known is None:
            known = self.ways[name] = translation(self.endpoint) if edited else way(dialect, self.endpoint)
        return known


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
        outbound = OUTBOUND[endpoint.dialect]
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "user-agent": USER_AGENT,
            **outbound.headers,
            **(self.credentials.headers(endpoint) or {}),
        }
        targets = {
            url: self._client.target("POST", url, headers, operator_url=endpoint.operator_url)
            for url in (outbound.url(endpoint, stream=False), outbound.url(endpoint, stream=True))
        }
        whole, streamed = next(iter(targets.values())), list(targets.values())[-1]
        return Route(endpoint, whole, streamed, self._launchers[endpoint.launch] if endpoint.launch else None)
