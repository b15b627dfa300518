"""From the `Authorization` header to a Principal (contract 1.2).

Known keys need no database. An unknown one is looked up once a second at most; while the database is away it gets 503, never 401.
"""

import hashlib
import time
from collections.abc import Callable

from trunkline.auth.directory import KeyDirectory, KnownKey
from trunkline.errors import ApiError, StorageUnavailable
from trunkline.protocol.identity import is_api_key
from trunkline.protocol.principal import Principal

MAX_HEADERS = 20_000
MAX_UNKNOWN = 4_096
UNKNOWN_SECONDS = 1.0
_MAX_HEADER_BYTES = 512


_HEADERS = (("WWW-Authenticate", "Bearer"), ("x-should-retry", "false"))
"""The second keeps agents that renew tokens from trying a bad key ten times; the SDKs of OpenAI and Anthropic heed it."""


def _refuse(message: str) -> ApiError:
    return ApiError("authentication", message, headers=_HEADERS)


def bearer_token(authorization: bytes | None) -> str:
    """The key inside the header. Raises ApiError `authentication` for an absent header and for other forms than `Bearer <key>`."""
    if not authorization:
        raise _refuse("Missing Authentication header")
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        raise _refuse("The Authorization header must be: Bearer <API key>")
    text = token.strip().decode("latin-1")
    if not text:
        raise _refuse("The Authorization header holds no API key")
    return text


class Authenticator:
    """Knows callers by their header. `clock` gives Unix seconds, `ticks` monotonic seconds."""

    def __init__(
        self, directory: KeyDirectory, *, clock: Callable[[], float] = time.time, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._ticks = ticks
        self._headers: dict[bytes, Principal] = {}
        self._unknown: dict[bytes, float] = {}
        self._away_until = 0.0
        directory.on_change(self._forget)

    def _forget(self) -> None:
        self._headers.clear()
        self._unknown.clear()

    def known(self, authorization: bytes) -> Principal | None:
        """The caller, when this very header was accepted before and its key is still good: one look-up in memory."""
        principal = self._headers.get(authorization)
        if principal is not None and principal.expires_at is not None and self._clock() >= principal.expires_at:
            return None
        return principal

    async def authenticate(self, authorization: bytes | None) -> Principal:
        """The caller. Raises ApiError `authentication` (401) for a missing, malformed, unknown, disabled, deleted or expired key, and
        StorageUnavailable (503) for a key that is not known here while the database cannot be asked."""
        token = bearer_token(authorization)
        if not is_api_key(token):
            raise _refuse("Invalid API key: it must be sk-or-v1- followed by 64 hexadecimal digits")
        digest = hashlib.sha256(token.encode()).digest()
        key = self._directory.get(digest) or await self._look_up(digest)
        if key.refusal is not None:
            raise _refuse(key.refusal)
        principal = key.principal
        if principal.expires_at is not None and self._clock() >= principal.expires_at:
            raise _refuse("This API key has expired")
        self._remember(authorization or b"", principal)
        return principal

    async def _look_up(self, digest: bytes) -> KnownKey:
        """The key from the database. Raises 401 when there is none, or StorageUnavailable; either answer stands for a second."""
        now = self._ticks()
        if now < self._away_until:
            raise StorageUnavailable("this key is not known here, and the database did not answer a moment ago")
        if self._unknown.get(digest, -UNKNOWN_SECONDS) + UNKNOWN_SECONDS <= now:
            try:
                key = await self._directory.look_up(digest)
            except StorageUnavailable:
                self._away_until = self._ticks() + UNKNOWN_SECONDS
                raise
            if key is not None:
                return key
            if len(self._unknown) >= MAX_UNKNOWN:
                self._unknown.clear()
            self._unknown[digest] = now
        raise _refuse("Invalid API key")

    def _remember(self, authorization: bytes, principal: Principal) -> None:
        if len(authorization) > _MAX_HEADER_BYTES:
            return
        if len(self._headers) >= MAX_HEADERS:
            del self._headers[next(iter(self._headers))]
        self._headers[authorization] = principal
