"""Everything about an endpoint that can be prepared before a request comes: the upstream request heads, and how bodies are rewritten for
it."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct, field

from trunkline.errors import ConfigError, UpstreamRefused
from trunkline.inference.ways import OUTBOUND, Way, translation, way
from trunkline.protocol.catalogue import Dialect, Endpoint
from trunkline.providers.credentials import Credentials
from trunkline.providers.signing import Signer
from trunkline.transport.client import Client
from trunkline.transport.target import Target, render_headers

USER_AGENT = "trunkline"
MOST_OWN = 4096
"""Routes kept for callers' own keys."""

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
    """Routes by endpoint id, made at first use and kept until the catalogue is replaced (endpoint ids are bounded by the catalogue); those
    of callers' own keys by the key, too, as many as MOST_OWN.

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
        self._own: dict[tuple[str, str], Route] = {}

    def to(self, endpoint: Endpoint) -> Route:
        """The route to an endpoint. Raises EgressDenied for a URL that may not be called, UpstreamRefused for a caller's key that is
        gone."""
        if endpoint.byok:
            return self._to_own(endpoint)
        route = self._routes.get(endpoint.id)
        if route is None or route.endpoint is not endpoint:
            route = self._routes[endpoint.id] = self._make(endpoint)
        return route

    def _to_own(self, endpoint: Endpoint) -> Route:
        key = (endpoint.id, endpoint.byok)
        route = self._own.get(key)
        if route is None or route.endpoint is not endpoint:
            if len(self._own) >= MOST_OWN:
                del self._own[next(iter(self._own))]
            route = self._own[key] = self._make(endpoint)
        return route

    def target(self, endpoint: Endpoint, url: str) -> Target:
        """Another operation of an endpoint, with the same head. Raises EgressDenied, UpstreamRefused."""
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "user-agent": USER_AGENT,
            **OUTBOUND[endpoint.dialect].headers,
            **opening(self.credentials, endpoint),
        }
        return self._client.target("POST", url, headers, operator_url=endpoint.operator_url)

    def _make(self, endpoint: Endpoint) -> Route:
        outbound = OUTBOUND[endpoint.dialect]
        urls = (outbound.url(endpoint, stream=False), outbound.url(endpoint, stream=True))
        targets = {url: self.target(endpoint, url) for url in urls}
        whole, streamed = next(iter(targets.values())), list(targets.values())[-1]
        launch = self._launchers[endpoint.launch] if endpoint.launch else None
        return Route(endpoint, whole, streamed, launch, self._signer_of(endpoint))


def opening(credentials: Credentials, endpoint: Endpoint) -> Mapping[str, str]:
    """The headers that open an endpoint. Raises UpstreamRefused when they are to be of a caller's key that is gone or cannot be used."""
    if not endpoint.byok:
        return credentials.headers(endpoint) or {}
    try:
        headers = credentials.headers(endpoint)
    except ConfigError:
        headers = None
    if headers is None:
        raise UpstreamRefused("credential", "The caller's own key for this provider cannot be used", status=0)
    return headers
