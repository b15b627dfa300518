"""The prepared ways of the operations beside chat: who may be called there with which credential, and the heads of calls made so far."""

from collections.abc import Callable, Mapping

from trunkline.inference.routes import USER_AGENT, Launch, opening
from trunkline.protocol.catalogue import Endpoint
from trunkline.providers.credentials import Credentials
from trunkline.providers.signing import Signer
from trunkline.transport.client import Client
from trunkline.transport.target import Target

MAX_TARGETS = 16
"""Heads kept for one endpoint: some upstreams have a part of the request in their URL."""
MOST_LINES = 4096
"""Lines kept; those of callers' own keys are made anew beyond that."""


class Line:
    """The way to one endpoint. `launch` starts the child that serves it, where there is one; `signer` opens each call where a fixed header
    cannot."""

    def __init__(
        self, endpoint: Endpoint, client: Client, headers: Mapping[str, str], launch: Launch | None, signer: Signer | None = None
    ) -> None:
        self.endpoint = endpoint
        self.launch = launch
        self.signer = signer
        self._client = client
        self._headers = headers
        self._targets: dict[tuple[str, str, str], Target] = {}

    def target(self, url: str, *, accept: str, method: str = "POST") -> Target:
        """The head of a call. Raises EgressDenied for a URL that may not be called."""
        key = (method, url, accept)
        known = self._targets.get(key)
        if known is None:
            if len(self._targets) >= MAX_TARGETS:
                del self._targets[next(iter(self._targets))]
            headers = {"accept": accept, **self._headers}
            known = self._targets[key] = self._client.target(method, url, headers, operator_url=self.endpoint.operator_url)
        return known


class Lines:
    """Lines by endpoint id and caller's own key, made at first use. `credentials` may be replaced together with the catalogue; `signer_of`
    finds the signer of an endpoint."""

    def __init__(
        self,
        client: Client,
        credentials: Credentials,
        launchers: Mapping[str, Launch],
        signer_of: Callable[[Endpoint], Signer | None] = lambda _endpoint: None,
    ) -> None:
        self._client = client
        self._signer_of = signer_of
        self.credentials = credentials
        self._launchers = launchers
        self._lines: dict[tuple[str, str], Line] = {}

    def to(self, endpoint: Endpoint) -> Line:
        """The line to an endpoint. Raises UpstreamRefused for a caller's key that is gone."""
        key = (endpoint.id, endpoint.byok)
        line = self._lines.get(key)
        if line is None or line.endpoint is not endpoint:
            if endpoint.byok and len(self._lines) >= MOST_LINES:
                self._lines = {known: kept for known, kept in self._lines.items() if not known[1]}
            headers = {"user-agent": USER_AGENT, **opening(self.credentials, endpoint)}
            launch = self._launchers[endpoint.launch] if endpoint.launch else None
            line = self._lines[key] = Line(endpoint, self._client, headers, launch, self._signer_of(endpoint))
        return line
