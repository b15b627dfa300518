"""Secrets, kept outside of every Struct: looked up once, checked, and handed out only as headers."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Auth, Endpoint
from trunkline.providers import addresses, aws

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_RESERVED = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type", "accept-encoding"})


OWN = "own:"
"""How the source of a caller's own key begins."""
SIGNED = ("google", "aws")
"""Styles that need more than a fixed header (`signing`)."""


def nobodys(_name: str) -> str | None:
    """Knows no callers' keys."""
    return None


class Credentials:
    """Resolves `Auth.source` from the environment and files. Read files are remembered; make a new object to read them again.

    `own` gives the secrets of callers' own keys (`own:NAME`), None for one that is gone.
    """

    def __init__(self, environ: Mapping[str, str], own: Callable[[str], str | None] = nobodys) -> None:
        self._environ = environ
        self._own = own
        self._files: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Credentials({len(self._files)} files read)"

    def secret(self, auth: Auth) -> str | None:
        """The secret, "" when the endpoint needs none in a fixed header, None when its environment variable is unset or empty.

        Raises ConfigError (without the value) for a secret that cannot stand in a header, and for a file that cannot be read.
        """
        if auth.style in ("none", *SIGNED) or not auth.source:
            return ""
        value = self.text(auth.source)
        kind, _, rest = auth.source.partition(":")
        return check_value(value, {"env": rest, "file": auth.source}.get(kind, "api_key")) if value is not None else None

    def text(self, source: str) -> str | None:
        """What a source holds, whatever it is; None when its environment variable is unset or empty. Raises ConfigError for a file that
        cannot be read."""
        kind, separator, rest = source.partition(":")
        if separator and kind == "env":
            return self._environ.get(rest, "").strip() or None
        if source.startswith(OWN):
            return self._own(source.removeprefix(OWN))
        return self._read(rest) if separator and kind == "file" else source

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
        waits_for = "" if endpoint.launch else self._lacks(endpoint.auth)
        return (*((waits_for,) if waits_for else ()), *addresses.variables(endpoint.base_url))

    def _lacks(self, auth: Auth) -> str:
        """The variable that an endpoint's credential waits for, "" when it waits for none."""
        variable = auth.source.removeprefix("env:")
        if auth.style == "aws" and (not auth.source or self.text(auth.source) is None):
            return aws.missing(self._environ, variable)
        unset = self.text(auth.source) is None if auth.style in SIGNED else self.secret(auth) is None
        return variable if unset else ""

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
    if source.startswith(OWN):
        raise ConfigError(where, "own: is for callers' own keys", '"env:ACME_API_KEY"')
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
