"""Everything about an endpoint that can be prepared before a request comes: the upstream request heads, and how bodies are rewritten for
it."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct, field

from trunkline.inference.ways import OUTBOUND, Way, translation, way
from trunkline.protocol.catalogue import Dialect, Endpoint
from trunkline.providers.credentials import Credentials
from trunkline.providers.signing import Signer
from trunkline.transport.client import Client
from trunkline.transport.target import Target, render_headers

USER_AGENT = "trunkline"

Launch = Callable[[], Awaitable[None]]


class Route(Struct, frozen=True):
    """The prepared way to one endpoint: where whole and streamed answers are asked for. `launch` starts the child that serves it, where
    there is one; `signer` opens each call where a fixed header cannot. `ways` fills with the client dialects that were used."""

    endpoint: Endpoint
    whole: Target
    streamed: Target
    launch: Launch | None
    signer: Signer | None = None
    ways: dict[str, Way] = field(default_factory=dict)

    def forwarded(self, headers: Mapping[bytes, bytes]) -> bytes:
        """The lines of those headers of a call that go on to the endpoint."""
        forward = OUTBOUND[self.endpoint.dialect].forwarded
        return b"" if forward is None else render_headers(forward(headers, self.endpoint.quirks))

    def way(self, dialect: Dialect, *, edited: bool = False) -> Way:
        """How requests of a client dialect get there, made at first use; an edited request can only be translated."""
        name = "" if edited else dialect
        known = self.ways.get(name)
        if known is None:
            known = self.ways[name] = translation(self.endpoint) if edited else way(dialect, self.endpoint)
        return known


class Routes:
    """Routes by endpoint id, made at first use and kept until the catalogue is replaced (endpoint ids are bounded by the catalogue).

    `credentials` may be replaced together with the catalogue. `signer_of` finds the signer of an endpoint.
    """

    def __init__(
        self,
        client: Client,
        credentials: Credentials,
        launchers: Mapping[str, Launch],
        signer_of: Callable[[Endpoint], Signer | None] = lambda _endpoint: None,
    ) -> None:
        self._client = client
        self.credentials = credentials
        self._launchers = launchers
        self._signer_of = signer_of
        self._routes: dict[str, Route] = {}

    def to(self, endpoint: Endpoint) -> Route:
        """The route to an endpoint. Raises EgressDenied for a URL that may not be called."""
        route = self._routes.get(endpoint.id)
        if route is None or route.endpoint is not endpoint:
            route = self._routes[endpoint.id] = self._make(endpoint)
        return route

    def target(self, endpoint: Endpoint, url: str) -> Target:
        """Another operation of an endpoint, with the same head. Raises EgressDenied."""
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "user-agent": USER_AGENT,
            **OUTBOUND[endpoint.dialect].headers,
            **(self.credentials.headers(endpoint) or {}),
        }
        return self._client.target("POST", url, headers, operator_url=endpoint.operator_url)

    def _make(self, endpoint: Endpoint) -> Route:
        outbound = OUTBOUND[endpoint.dialect]
        urls = (outbound.url(endpoint, stream=False), outbound.url(endpoint, stream=True))
        targets = {url: self.target(endpoint, url) for url in urls}
        whole, streamed = next(iter(targets.values())), list(targets.values())[-1]
        launch = self._launchers[endpoint.launch] if endpoint.launch else None
        return Route(endpoint, whole, streamed, launch, self._signer_of(endpoint))
