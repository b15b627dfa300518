"""Secrets, kept outside of every Struct: looked up once, checked, and handed out only as headers."""

import re
from collections.abc import Mapping
from pathlib import Path

from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Auth, Endpoint
from trunkline.providers import addresses

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_RESERVED = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type", "accept-encoding"})


class Credentials:
    """Resolves `Auth.source` from the environment and files. Read files are remembered; make a new object to read them again."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._files: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Credentials({len(self._files)} files read)"

    def secret(self, auth: Auth) -> str | None:
        """The secret, "" when the endpoint needs none, None when its environment variable is unset or empty.

        Raises ConfigError (without the value) for a secret that cannot stand in a header, and for a file that cannot be read.
        """
        if auth.style == "none" or not auth.source:
            return ""
        kind, separator, rest = auth.source.partition(":")
        if separator and kind == "env":
            value = self._environ.get(rest, "").strip()
            return check_value(value, rest) if value else None
        if separator and kind == "file":
            return check_value(self._read(rest), auth.source)
        return check_value(auth.source, "api_key")

    def headers(self, endpoint: Endpoint) -> dict[str, str] | None:
        """The headers (lower-case names) that open `endpoint`, its `extra_headers` included; None when its secret is missing."""
        secret = self.secret(endpoint.auth)
        if secret is None:
            return None
        headers = {check_name(name, "extra_headers"): check_value(value, name) for name, value in endpoint.extra_headers.items()}
        if secret and endpoint.auth.style == "bearer":
            headers[endpoint.auth.header] = f"Bearer {secret}"
        elif secret:
            headers[endpoint.auth.header] = secret
        return headers

    def missing(self, endpoint: Endpoint) -> tuple[str, ...]:
        """The variables that the operator must set before `endpoint` can be called; a supervised child brings its own secret."""
        names = []
        if not endpoint.launch and self.secret(endpoint.auth) is None:
            names.append(endpoint.auth.source.removeprefix("env:"))
        waits_for = addresses.variable(endpoint.base_url)
        if waits_for is not None:
            names.append(waits_for)
        return tuple(names)

    def _read(self, path: str) -> str:
        if path not in self._files:
            try:
                self._files[path] = Path(path).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise ConfigError(f"file:{path}", f"the file cannot be read: {reason}", "the path of a readable text file") from None
        return self._files[path]


def check_source(source: str, where: str) -> str:
    """`source` when it can name a secret: `env:NAME`, `file:PATH`, a literal, "" for none. Raises ConfigError, which shows no literal."""
    kind, separator, rest = source.partition(":")
    if separator and kind == "env":
        return f"env:{addresses.variable_name(rest, where)}"
    if separator and kind == "file":
        if not rest:
            raise ConfigError(where, "file: names no file", '"file:/run/secrets/acme"')
        return source
    return check_value(source, where) if source else source


def check_value(value: str, where: str) -> str:
    """`value` when it may stand in a header: visible ASCII, blanks only inside. Raises ConfigError, which does not show it."""
    if not _HEADER_VALUE.fullmatch(value):
        raise ConfigError(where, "the value is empty or no header can carry it (it is not shown here)", "printable ASCII on one line")
    return value


def check_name(name: str, where: str) -> str:
    """The lower-case header name. Raises ConfigError for one that is no token, or that the transport sets itself."""
    lower = name.lower()
    if not _HEADER_NAME.fullmatch(lower) or lower in _RESERVED:
        raise ConfigError(where, f"{name!r} cannot be set", "a header name such as x-team, none of " + ", ".join(sorted(_RESERVED)))
    return lower
