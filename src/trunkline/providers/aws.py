"""Signatures for Amazon Bedrock (AWS, "Signature Version 4 for API requests"), or its bearer token where there is one.

Credentials come from `AWS_BEARER_TOKEN_BEDROCK`, from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` with an `AWS_SESSION_TOKEN`, from a
source of the operator's own (`keys_of`), or from all that AWS's tools know (profiles, roles, SSO, the machine's own) through botocore,
where it is installed: `Botocore`. It takes a quarter of a second to load and blocks, so it lives in a thread.
"""

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from msgspec import Struct

from trunkline.errors import ConfigError, UpstreamError, UpstreamRefused
from trunkline.transport.tasks import spawn

SERVICE: Final = "bedrock"
CONTENT_TYPE: Final = "application/json"
"""The type of every body that is sent; it is signed."""

BEARER: Final = "AWS_BEARER_TOKEN_BEDROCK"
ACCESS_KEY: Final = "AWS_ACCESS_KEY_ID"
SECRET_KEY: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
SESSION_TOKEN: Final = "AWS_SESSION_TOKEN"  # noqa: S105 - the name of a variable
REGIONS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
CHAINED: Final = ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
"""Variables that say that credentials come from elsewhere."""

CHAIN: Final = "chain"
"""The source (`api_key`) that stands for all that AWS's tools know, and nothing else."""

ANEW: Final = 60.0
"""Seconds after which the chain is asked again; what it gives holds for minutes longer."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{3,10}){1,3}-\d{1,2}")
_HOST = re.compile(r"bedrock-(?:runtime|mantle)(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com|amazonaws\.com\.cn|api\.aws|amazonaws\.eu)")
_VISIBLE = re.compile(r"[\x21-\x7e]{1,16384}")
_BLANKS = re.compile(r" +")


class Keys(Struct, frozen=True):
    """What signs, or the bearer token that stands for it."""

    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""
    bearer: str = ""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Keys({self.access_key[:4]}...)"


Chain = Callable[[], Keys | None]
"""Gives the credentials of this moment; blocks, so it is called in a thread."""


class AwsSigner:
    """Signs the calls of one endpoint. `keys` None = the chain has them. Used from one event loop only; `clock` gives Unix seconds."""

    def __init__(self, keys: Keys | None, region: str, *, chain: Chain | None = None, clock: Callable[[], float] = time.time) -> None:
        self._fixed = keys
        self._region = checked_region(region, "region")
        self._chain = chain
        self._clock = clock
        self._keys: Keys | None = None
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[Keys | UpstreamError] | None = None

    async def headers(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """The headers that open this call. Raises UpstreamRefused("credential") when there are no credentials."""
        keys = self._fixed or await self._chained()
        if keys.bearer:
            return {"authorization": f"Bearer {keys.bearer}"}
        return sign(keys, method, url, body, {"content-type": CONTENT_TYPE}, region=self._region, service=SERVICE, now=self._clock())

    def forget(self, headers: Mapping[str, str]) -> None:
        """An upstream refused these headers: the next call asks the chain, unless it has given others since. What the environment holds
        stays as it is."""
        if self._keys is not None and f"={self._keys.access_key}/" in headers.get("authorization", ""):
            self._keys = None

    async def _chained(self) -> Keys:
        """What the chain gave; asked again in the background while that still holds."""
        keys, now = self._keys, self._clock()
        if keys is None:
            found = await asyncio.shield(self._ask(now))
            if isinstance(found, UpstreamError):
                raise found
            return found
        if now - self._asked_at >= ANEW:
            self._ask(now)
        return keys

    def _ask(self, now: float) -> "asyncio.Task[Keys | UpstreamError]":
        if self._asking is None:
            self._asked_at = now
            self._asking = spawn(self._attempt(), name="aws credentials")
        return self._asking

    async def _attempt(self) -> Keys | UpstreamError:
        """New credentials, or why there are none; a failure matters only to those who wait."""
        try:
            keys = await asyncio.to_thread(self._chain) if self._chain is not None else None
        except Exception as error:  # noqa: BLE001 - botocore's errors are many, and botocore may be absent
            return UpstreamRefused("credential", f"AWS's credential chain failed: {type(error).__name__}", status=0)
        finally:
            self._asking = None
        if keys is None:
            return UpstreamRefused("credential", "AWS's credential chain holds no credentials", status=0)
        self._keys = keys
        return keys


def sign(
    keys: Keys, method: str, url: str, body: bytes, headers: Mapping[str, str], *, region: str, service: str, now: float
) -> dict[str, str]:
    """The headers that a signed request needs beside `headers`, which are signed too (lower-case names). `now` in Unix seconds."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    parts = urlsplit(url)
    given = {"x-amz-date": moment, **({"x-amz-security-token": keys.session_token} if keys.session_token else {})}
    signed = {name: _BLANKS.sub(" ", value.strip()) for name, value in {**headers, **given, "host": _authority(url)}.items()}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = "\n".join((method, _path(parts.path), _query(parts.query), lines, names, hashlib.sha256(body).hexdigest()))
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{keys.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**given, "authorization": f"{_ALGORITHM} {credential}"}


def keys_in(environ: Mapping[str, str]) -> Keys | None:
    """The credentials in the environment, the bearer token first. Raises ConfigError for one that no header can carry."""
    values = {name: environ.get(name, "").strip() for name in (BEARER, ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)}
    for name, value in values.items():
        _check(value, name)
    if values[BEARER]:
        return Keys(bearer=values[BEARER])
    if values[ACCESS_KEY] and values[SECRET_KEY]:
        return Keys(values[ACCESS_KEY], values[SECRET_KEY], values[SESSION_TOKEN])
    return None


def missing(environ: Mapping[str, str], variable: str) -> str:
    """The variable that must be set before calls can be signed, "" when nothing is missing. `variable`: the operator's own choice."""
    if keys_in(environ) is not None or any(environ.get(name, "").strip() for name in CHAINED):
        return ""
    return SECRET_KEY if environ.get(ACCESS_KEY, "").strip() else variable or BEARER


class _KeyFile(Struct, rename="camel"):
    access_key_id: str
    secret_access_key: str
    session_token: str = ""
    region: str = ""


def keys_of(text: str, where: str) -> tuple[Keys, str]:
    """The credentials in a text, and the region it names, "" for none: a bearer token, or `{"accessKeyId": ..., "secretAccessKey": ...,
    "region": ...}` (contract 3.11). Raises ConfigError, which shows nothing of it."""
    text = text.strip()
    if not text.startswith("{"):
        _check(text or " ", where)
        return Keys(bearer=text), ""
    try:
        file = msgspec.json.decode(text, type=_KeyFile)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        raise ConfigError(where, "the key is not JSON with accessKeyId and secretAccessKey") from None
    for value in (file.access_key_id or " ", file.secret_access_key or " ", file.session_token):
        _check(value, where)
    region = checked_region(file.region, where) if file.region else ""
    return Keys(file.access_key_id, file.secret_access_key, file.session_token), region


def region_of(url: str, environ: Mapping[str, str]) -> str:
    """The region of an endpoint: the one its host names, else that of the environment. Raises ConfigError when there is none, or one that
    cannot be."""
    match = _HOST.fullmatch(urlsplit(url).hostname or "")
    if match is not None:
        return checked_region(match[1], url)
    for name in REGIONS:
        value = environ.get(name, "").strip()
        if value:
            return checked_region(value, name)
    raise ConfigError(REGIONS[0], "is not set, and the base URL names no region", "us-east-1")


def checked_region(region: str, where: str) -> str:
    """`region` when it can be one, so that it can lead a call nowhere else. Raises ConfigError."""
    if not _REGION.fullmatch(region):
        raise ConfigError(where, f"{region[:60]!r} is not a region", "us-east-1")
    return region


class Botocore:
    """AWS's own way to credentials: all that botocore finds; it renews what expires, at the latest ten minutes before. `session` makes a
    `botocore.session.Session`."""

    def __init__(self, session: Callable[[], Any]) -> None:
        self._session = session
        self._found: object = None

    def __call__(self) -> Keys | None:
        """The credentials of this moment, None where there are none."""
        if self._found is None:
            self._found = self._session().get_credentials()
        read = getattr(self._found, "get_frozen_credentials", None)
        if read is None:
            return None
        frozen = read()
        return Keys(frozen.access_key, frozen.secret_key, frozen.token or "")


def _authority(url: str) -> str:
    """`Host` as `transport` sends it: without a port that goes without saying."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return host if parts.port in (None, usual) else f"{host}:{parts.port}"


def _path(path: str) -> str:
    """The canonical path: the segments as sent, escaped once more, without `.` and `..`."""
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment not in ("", "."):
            segments.append(segment)
    tail = "/" if segments and path.endswith("/") else ""
    return quote("/" + "/".join(segments) + tail, safe="/~")


def _query(query: str) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{name}={value}" for name, value in pairs)


def _check(value: str, where: str) -> None:
    if value and not _VISIBLE.fullmatch(value):
        raise ConfigError(where, "the value is empty or no header can carry it (it is not shown here)", "visible ASCII without blanks")
