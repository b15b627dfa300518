"""Files from URLs that a caller wrote: every address, each redirect's too, passes the egress guard, and size and time are bounded."""

from typing import Final
from urllib.parse import urljoin

from msgspec import Struct

from trunkline.errors import MalformedResponse, ResponseTooLarge, UpstreamRefused
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client
from trunkline.transport.response import Response

MAX_REDIRECTS: Final = 3
TIMEOUTS: Final = Timeouts(connect=3.0, first_content=10.0, idle=10.0, total=30.0)
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))


class Download(Struct, frozen=True, gc=False):
    """What a URL gave: the bytes, and the media type that its server named, in lower case and without parameters ("" = none)."""

    data: bytes
    media_type: str


class Downloads:
    """Fetches files."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def fetch(self, url: str, *, limit: int) -> Download:
        """The file at a URL, of `limit` bytes at most.

        Raises EgressDenied for an address that may not be called, ResponseTooLarge, UpstreamRefused for any status but 200, and the other
        errors of the transport.
        """
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._get(url)
            try:
                if response.status in _REDIRECTS:
                    url = urljoin(url, _location(response))
                    continue
                return await _whole(response, limit)
            finally:
                response.close()
        raise MalformedResponse(f"more than {MAX_REDIRECTS} redirects")

    async def _get(self, url: str) -> Response:
        target = self._client.target("GET", url, {"accept": "*/*"}, operator_url=False)
        return await self._client.send(target, b"", TIMEOUTS)


def _location(response: Response) -> str:
    location = response.header(b"location")
    if not location:
        raise MalformedResponse("a redirect that leads nowhere", status=response.status)
    return location.decode("latin-1")


async def _whole(response: Response, limit: int) -> Download:
    if response.status != 200:
        raise UpstreamRefused("caller_fault", f"the server answered {response.status}", status=response.status)
    length = response.header(b"content-length") or b""
    if length.isdigit() and int(length) > limit:
        raise ResponseTooLarge(f"more than {limit} bytes")
    media_type = (response.header(b"content-type") or b"").decode("latin-1")
    return Download(await response.read_all(limit), media_type.partition(";")[0].strip().lower())
