"""Credentials that are more than a fixed header: tokens that expire, and signatures of each call.

`Signers` makes one signer for each credential, the first time an endpoint needs it, and keeps it with its tokens when the catalogue is
replaced.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from trunkline.errors import ConfigError, UpstreamRefused
from trunkline.protocol.catalogue import AuthStyle, Endpoint
from trunkline.providers import aws
from trunkline.providers.credentials import OWN, Credentials, nobodys
from trunkline.providers.google import GoogleTokens, KeySource, MetadataGuard, MetadataSource, ReadKey, find_account, parse_account
from trunkline.transport.client import Client

MOST_SIGNERS: Final = 4096
"""Signers kept; beyond that the oldest is made anew when it is needed."""


class Signer(Protocol):
    """Opens calls to one endpoint."""

    async def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The headers (lower-case names) that open this call. Raises UpstreamError when there is no credential."""

    def forget(self, headers: Mapping[str, str]) -> None:
        """An upstream refused these headers: what made them is fetched anew, unless it has been since."""


class Signers:
    """The signers of one worker. `client` fetches tokens; `read_key` reads keys of service accounts (`google_keys.read_key`); `chain` is
    AWS's own way to credentials (`aws.Botocore`); `own` gives the secrets of callers' own keys (`credentials.Credentials`)."""

    def __init__(
        self,
        environ: Mapping[str, str],
        client: Client,
        read_key: ReadKey,
        *,
        chain: aws.Chain | None = None,
        own: Callable[[str], str | None] = nobodys,
    ) -> None:
        self.own = own
        self.environ = environ
        self.client = client
        self.read_key = read_key
        self.chain = chain
        self._metadata: Client | None = None
        self._made: dict[tuple[AuthStyle, str, str], Signer] = {}

    def to(self, endpoint: Endpoint) -> Signer | None:
        """The signer of an endpoint, None where a fixed header, or none, opens it. Raises UpstreamRefused("credential") for a credential
        that cannot be used."""
        make = MAKERS.get(endpoint.auth.style)
        if make is None:
            return None
        try:
            place = PLACES.get(endpoint.auth.style, _anywhere)(endpoint.base_url, self.environ)
            key = (endpoint.auth.style, endpoint.auth.source, place)
            signer = self._made.get(key)
            if signer is None:
                if len(self._made) >= MOST_SIGNERS:
                    del self._made[next(iter(self._made))]
                signer = self._made[key] = make(self, endpoint.auth.source, place)
        except ConfigError as error:
            raise UpstreamRefused("credential", str(error), status=0) from None
        return signer

    def metadata(self) -> Client:
        """The one client that may call the machine's metadata server, made when it is needed."""
        if self._metadata is None:
            self._metadata = Client(MetadataGuard())
        return self._metadata

    async def close(self) -> None:
        """Close what was opened here."""
        if self._metadata is not None:
            await self._metadata.close()


class _GoogleSigner:
    """A bearer token is the same for every call."""

    def __init__(self, tokens: GoogleTokens) -> None:
        self._tokens = tokens

    async def headers(self, _method: str, _url: str, _body: bytes) -> Mapping[str, str]:
        return await self._tokens.headers()

    def forget(self, headers: Mapping[str, str]) -> None:
        self._tokens.forget(headers)


def _google(signers: Signers, source: str, _place: str) -> Signer:
    """A service account's key, or without a source the machine's own account."""
    if not source:
        return _GoogleSigner(GoogleTokens(MetadataSource(signers.metadata())))
    if source.startswith(OWN):
        theirs = parse_account(_own_text(signers, source).encode(), source, signers.read_key, operator=False)
        return _GoogleSigner(GoogleTokens(KeySource(theirs, signers.client, operator=False)))
    account = find_account(source, signers.environ, signers.read_key)
    if account is None:
        raise ConfigError(source, "holds no key of a service account", "the JSON key, or the path of its file")
    return _GoogleSigner(GoogleTokens(KeySource(account, signers.client, operator=True)))


def _aws(signers: Signers, source: str, region: str) -> Signer:
    """The source's own credentials, else those of the environment, else AWS's chain; a caller's own key never stands for another."""
    if source.startswith(OWN):
        keys, named = aws.keys_of(_own_text(signers, source), source)
        return aws.AwsSigner(keys, named or region)
    text = "" if source in ("", aws.CHAIN) else Credentials(signers.environ).text(source)
    if text:
        keys, named = aws.keys_of(text, source)
        return aws.AwsSigner(keys, named or region)
    keys_there = None if source == aws.CHAIN else aws.keys_in(signers.environ)
    return aws.AwsSigner(keys_there, region, chain=signers.chain)


def _own_text(signers: Signers, source: str) -> str:
    text = signers.own(source.removeprefix(OWN))
    if not text:
        raise ConfigError(source, "the caller's own key is gone")
    return text


def _anywhere(_url: str, _environ: Mapping[str, str]) -> str:
    return ""


MAKERS: Final[Mapping[str, Callable[[Signers, str, str], Signer]]] = {"google": _google, "aws": _aws}
"""Who makes the signers of a style (`protocol.catalogue.AuthStyle`), from a source and a place."""

PLACES: Final[Mapping[str, Callable[[str, Mapping[str, str]], str]]] = {"aws": aws.region_of}
"""Where a signature holds, of styles for which that matters."""
