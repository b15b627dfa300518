"""TLS to upstreams: verified, HTTP/1.1 by ALPN, and resumed where a session of the same host is known."""

import ssl

_MAX_HOSTS = 256


class ResumingContext(ssl.SSLContext):
    """A client context that offers each host its last session. asyncio and uvloop have no argument for a session, but both call `wrap_bio`.

    `recent` has the last SSL object of each host, since a ticket comes some time after the handshake (TLS 1.3); `sessions` what it gave.
    """

    recent: dict[str, ssl.SSLObject]
    sessions: dict[str, ssl.SSLSession]

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As in the base class, with the last session of `server_hostname`, if any."""
        name = str(server_hostname)
        wrapped = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session or self._known(name))
        self.recent.pop(name, None)
        self.recent[name] = wrapped
        if len(self.recent) > _MAX_HOSTS:
            oldest = next(iter(self.recent))
            del self.recent[oldest]
            self.sessions.pop(oldest, None)
        return wrapped

    def _known(self, name: str) -> ssl.SSLSession | None:
        recent = self.recent.get(name)
        # `version` is None, and asking for the session an error, until the handshake is over.
        if recent is not None and recent.version() is not None:
            session = recent.session
            if session is not None and session.has_ticket:
                self.sessions[name] = session
        return self.sessions.get(name)


def open_context(*, ca_file: str | None = None) -> ssl.SSLContext:
    """The context of all upstream connections: the system's roots (or `ca_file`), names checked, TLS 1.2 or newer."""
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.recent = {}
    context.sessions = {}
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile=ca_file)
    return context
