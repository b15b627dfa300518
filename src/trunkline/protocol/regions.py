"""The regions in which a caller may keep a request (contract 3.12), and how the name of a host asks for one.

`eu.` or `us.` in front of a server's own name asks for that region. A server cannot know all names that lead to it, so every name with such
a beginning asks for it, but for the one that the operator gave it (`TRUNKLINE_PUBLIC_URL`). A name can only ever restrict a request.
"""

from collections.abc import Mapping
from itertools import product
from typing import Final

REGIONS: Final[Mapping[str, str]] = {"eu": "europe", "us": "us"}
"""What a host begins with, and what `?region=` takes; and the region's name in answers and in `Endpoint.region`."""

PREFIXES: Final = frozenset("".join(letters).encode() for word in REGIONS for letters in product(*[(c, c.upper()) for c in word], "."))
"""The first three bytes of the hosts that may name a region, in any case: what one look tells of every request."""

FORWARDED: Final = b"x-forwarded-host"
"""The host that a proxy was asked for, where it puts another one into `Host`. Whoever sends it can only restrict the own request."""


def region_of(host: str, own_host: str = "") -> str:
    """The region that a `Host` value asks for (`europe`, `us`), "" = none. `own_host` is the server's own name, in lower case without a
    port, which asks for none."""
    name = host.strip().lower().partition(":")[0]
    prefix, dot, rest = name.partition(".")
    return REGIONS.get(prefix, "") if dot and rest and name != own_host else ""


def asked_region(headers: Mapping[bytes, bytes], own_host: str = "") -> str:
    """The region that a request's headers (lower-case names) ask for, "" = none: that of the host, else of the hosts before proxies."""
    for name in (b"host", FORWARDED):
        for host in headers.get(name, b"").decode("latin-1").split(","):
            region = region_of(host, own_host)
            if region:
                return region
    return ""
