"""Google's tokens for Vertex AI: from a service account's key (RFC 7523; Google Identity, "Using OAuth 2.0 for server to server
applications") or from the metadata server of the machine (Compute Engine, "Authenticate workloads using service accounts").

A token is fetched once for all who wait for it, kept, and replaced in the background when five minutes of it are left.
"""

import asyncio
import base64
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from trunkline.dialects.refusals import classify
from trunkline.errors import ConfigError, EgressDenied, MalformedResponse, UpstreamError, UpstreamRefused
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard, Location
from trunkline.transport.tasks import spawn

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
METADATA: Final = "http://169.254.169.254"
EARLY: Final = 300.0
"""Seconds before its end at which a token is replaced."""

AGAIN: Final = 10.0
"""Seconds between two tries to replace a token that still holds."""

_LIFE = 3600
_LIMIT = 64 * 1024
_TIMEOUTS = Timeouts(connect=3.0, first_content=10.0, idle=10.0, total=20.0)
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 - a path
_TOKEN_URI = re.compile(r"https://(?:[a-z0-9-]+\.)*(?:googleapis\.com|accounts\.google\.com)(?:/[A-Za-z0-9._-]+)+")
_OPERATOR_URI = re.compile(r"(?:https://[A-Za-z0-9.-]+(?::\d+)?|http://(?:localhost|127\.0\.0\.1|\[::1\]):\d+)(?:/[A-Za-z0-9._-]+)+")
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{6,19}")
_LOCATION = re.compile(r"global|us|eu|[a-z]+-[a-z]+\d{1,2}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_HOSTS: Final = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
}


Sign = Callable[[bytes], bytes]
"""Signs with one RSA key, by RS256 (RFC 7518, 3.3)."""

ReadKey = Callable[[bytes], Sign]
"""Reads a private key in PEM (`google_keys.read_key`, which is heavy to load). Raises ValueError, which says what is wrong with it."""


class ServiceAccount(Struct, frozen=True):
    """A service account: who it is, where its tokens come from, and what signs for it."""

    client_email: str
    token_uri: str
    sign: Sign
    key_id: str = ""

    def __repr__(self) -> str:
        """Without the key."""
        return f"ServiceAccount({self.client_email})"


class Token(Struct, frozen=True):
    """A bearer token and the Unix second at which it ends."""

    value: str
    ends: float

    def __repr__(self) -> str:
        """Without the token."""
        return f"Token(ends={self.ends:.0f})"


class Source(Protocol):
    """Where tokens come from."""

    async def token(self) -> Token:
        """A new token. Raises UpstreamError."""


class GoogleTokens:
    """The tokens of one credential. Used from one event loop only. `clock` gives Unix seconds."""

    def __init__(self, source: Source, *, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._clock = clock
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token | UpstreamError] | None = None
        self._tried_at = float("-inf")

    async def headers(self) -> dict[str, str]:
        """The header that opens a call. Raises UpstreamError when there is no token and none can be had."""
        token, now = self._token, self._clock()
        if token is None or now >= token.ends:
            fetched = await asyncio.shield(self._fetch(now))
            if isinstance(fetched, UpstreamError):
                raise fetched
            token = fetched
        elif token.ends - now <= EARLY and now - self._tried_at >= AGAIN:
            self._fetch(now)
        return {"authorization": f"Bearer {token.value}"}

    def forget(self, headers: Mapping[str, str]) -> None:
        """An upstream refused these headers: the next call fetches another token, unless one has come since."""
        if self._token is not None and headers.get("authorization") == f"Bearer {self._token.value}":
            self._token = None

    def _fetch(self, now: float) -> asyncio.Task[Token | UpstreamError]:
        if self._fetching is None:
            self._tried_at = now
            self._fetching = spawn(self._attempt(), name="google token")
        return self._fetching

    async def _attempt(self) -> Token | UpstreamError:
        """A new token, or why there is none; a failure matters only to those who wait."""
        try:
            self._token = await self._source.token()
        except UpstreamError as error:
            return error
        finally:
            self._fetching = None
        return self._token


class KeySource:
    """Tokens for a service account. `operator`: the key was given by the operator, whose token server may stand in a private network."""

    def __init__(self, account: ServiceAccount, client: Client, *, operator: bool, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._client = client
        self._clock = clock
        headers = {"content-type": "application/x-www-form-urlencoded"}
        self._target = client.target("POST", account.token_uri, headers, operator_url=operator)

    async def token(self) -> Token:
        """A token for an assertion signed now."""
        now = self._clock()
        body = urlencode({"grant_type": _GRANT, "assertion": assertion(self._account, int(now))})
        response = await self._client.send(self._target, body.encode(), _TIMEOUTS)
        return token_of(response.status, response.headers, await response.read_all(_LIMIT), now)


class MetadataSource:
    """Tokens of the machine's own account. `client` needs a `MetadataGuard` for the same `base`, as no other lets it through."""

    def __init__(self, client: Client, *, base: str = METADATA, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._target = client.target("GET", base + _TOKEN_PATH, {"metadata-flavor": "Google"}, operator_url=True)

    async def token(self) -> Token:
        """The token that the metadata server has."""
        now = self._clock()
        response = await self._client.send(self._target, b"", _TIMEOUTS)
        return token_of(response.status, response.headers, await response.read_all(_LIMIT), now)


class MetadataGuard(EgressGuard):
    """Lets through the metadata server and nothing else; every other guard keeps it shut, since it hands out credentials."""

    def __init__(self, base: str = METADATA) -> None:
        super().__init__()
        host, _, port = base.removeprefix("http://").partition(":")
        self._location = Location("http", host, int(port or 80))

    def check_url(self, url: str, *, operator_url: bool = False) -> Location:
        """Raises EgressDenied for any other address."""
        prefix = f"http://{self._location.host}" + ("" if self._location.port == 80 else f":{self._location.port}")
        if not operator_url or url != prefix + _TOKEN_PATH:
            raise EgressDenied("only the metadata server may be called here")
        return self._location

    async def addresses(self, host: str, port: int, *, operator_url: bool = False) -> tuple[str, ...]:
        """The address itself."""
        if not operator_url or (host, port) != (self._location.host, self._location.port):
            raise EgressDenied("only the metadata server may be called here")
        return (host,)


class _KeyFile(Struct):
    type: str = ""
    client_email: str = ""
    private_key: str = ""
    private_key_id: str = ""
    token_uri: str = ""


class _Answer(Struct):
    access_token: str
    expires_in: float = 0.0


def find_account(source: str, environ: Mapping[str, str], read_key: ReadKey) -> ServiceAccount | None:
    """The service account that `env:NAME` or `file:PATH` names; a variable holds the key itself or the path of its file, as
    GOOGLE_APPLICATION_CREDENTIALS does. None while the variable is unset. Raises ConfigError, which shows nothing of the key."""
    kind, _, rest = source.partition(":")
    text = environ.get(rest, "").strip() if kind == "env" else rest
    if not text:
        return None
    if kind == "env" and text.startswith("{"):
        return parse_account(text.encode(), source, read_key, operator=True)
    try:
        data = Path(text).expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(source, f"the key file cannot be read: {error.strerror}", "the path of a service account's JSON key") from None
    return parse_account(data, source, read_key, operator=True)


def parse_account(data: bytes, where: str, read_key: ReadKey, *, operator: bool) -> ServiceAccount:
    """A service account's JSON key. `operator`: it was given by the operator, so that `token_uri` may name a server of theirs; else only
    Google's own. Raises ConfigError, which shows nothing of the key."""
    instead = "the JSON key of a service account, as Google Cloud makes it"
    try:
        file = msgspec.json.decode(data, type=_KeyFile)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ConfigError(where, "the key is not JSON, or not of a service account", instead) from None
    if file.type != "service_account" or not file.client_email.isascii() or not file.client_email:
        raise ConfigError(where, "the key is not of type service_account, or names no client_email", instead)
    if not (_OPERATOR_URI if operator else _TOKEN_URI).fullmatch(file.token_uri):
        raise ConfigError(where, "token_uri is not the address of a token server", "https://oauth2.googleapis.com/token")
    try:
        sign = read_key(file.private_key.encode())
    except ValueError as error:
        raise ConfigError(where, f"private_key {error}", instead) from None
    return ServiceAccount(file.client_email, file.token_uri, sign, file.private_key_id)


def assertion(account: ServiceAccount, now: int) -> str:
    """The signed claim to a token (RFC 7523, 3), good for an hour from `now` (Unix seconds)."""
    head = {"alg": "RS256", "typ": "JWT"} | ({"kid": account.key_id} if account.key_id else {})
    claims = {"iss": account.client_email, "scope": SCOPE, "aud": account.token_uri, "iat": now, "exp": now + _LIFE}
    signed = b".".join(_encoded(msgspec.json.encode(part)) for part in (head, claims))
    return (signed + b"." + _encoded(account.sign(signed))).decode()


def token_of(status: int, headers: list[tuple[bytes, bytes]], body: bytes, now: float) -> Token:
    """The token in a token server's answer (RFC 6749, 5.1). Raises UpstreamError: what the server refuses speaks against the credential."""
    if status != 200:
        refusal = classify(status, headers, body)
        if 400 <= status < 500 and status not in (408, 429):
            raise UpstreamRefused("credential", f"Google gives no token: {refusal.message}", status=status, code=refusal.code)
        raise refusal
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise MalformedResponse("the token server's answer holds no token", status=status) from None
    if not _TOKEN.fullmatch(answer.access_token):
        raise MalformedResponse("the token server's answer holds no token", status=status)
    return Token(answer.access_token, now + max(answer.expires_in, 0.0))


def vertex_base(project: str, location: str) -> str:
    """The base URL of a project's models in a location (`us-central1`, `global`, `us`, `eu`). Raises ConfigError for names that no project
    or location has, so that neither can lead a call elsewhere. `v1beta1` is the version whose schemas and call ids were seen to work."""
    if not _PROJECT.fullmatch(project):
        raise ConfigError("project", f"{project[:60]!r} is not the id of a project", "the id or number of a Google Cloud project")
    if not _LOCATION.fullmatch(location):
        raise ConfigError("location", f"{location[:60]!r} is not a location", "us-central1, global, us or eu")
    return f"https://{_HOSTS.get(location, f'{location}-aiplatform.googleapis.com')}/v1beta1/projects/{project}/locations/{location}"


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
