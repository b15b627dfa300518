"""The experiments that a caller asks for in `anthropic-beta` (Anthropic docs: Beta headers; contract 2.1, `x-anthropic-beta`).

A host refuses a call that names one it does not have, and without the name it refuses the fields that belong to it. So what goes on is a
table of the endpoint's quirks, `betas`: the names it takes, and its own word for each.
"""

import re
from collections.abc import Mapping
from typing import Final

from trunkline.protocol.quirks import Quirks

HEADER: Final = "anthropic-beta"
SOURCES: Final = (b"anthropic-beta", b"x-anthropic-beta")
MOST: Final = 64
"""Experiments of one call."""
_NAME: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ANY: Final = "*"


def forwarded(headers: Mapping[bytes, bytes], quirks: Quirks) -> Mapping[str, str]:
    """The headers that go on to an endpoint, of those a call came with (names in lower case); what its host does not take is left out."""
    known = quirks.betas
    if not known:
        return {}
    asked = [name.strip() for source in SOURCES if source in headers for name in headers[source].split(b",")]
    names = [name.decode() for name in asked if _NAME.fullmatch(name)]
    taken = dict.fromkeys(known.get(name) or name for name in names if name in known or _ANY in known)
    return {HEADER: ",".join([*taken][:MOST])} if taken else {}
