"""Where the addresses of providers promise to process prompts, as far as their own documents say so.

Bedrock (AWS docs, "Cross-region inference") answers in the region of the host, unless the model's id begins with a geography: `eu.` and
`us.` stay within that, `global.` and all others may go elsewhere. Vertex AI (Google Cloud docs, "Data residency") computes in the region
or multi-region that is called; `global` promises nothing. London and Zurich are not in the European Union and so not in the region
`europe`. What no row here says, the operator may (`region` of an endpoint or provider).
"""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from trunkline.errors import ConfigError
from trunkline.protocol.regions import REGIONS

GLOBAL: Final = "global"
"""What an operator writes who wants no promise where one would be found."""

# fmt: off
_AWS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2"), "europe"),
    **dict.fromkeys(("us-east-1", "us-east-2", "us-west-1", "us-west-2"), "us"),
}
_GOOGLE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "eu", "europe-central2", "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west3", "europe-west4",
            "europe-west8", "europe-west9", "europe-west10", "europe-west12",
        ),
        "europe",
    ),
    **dict.fromkeys(
        ("us", "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4"), "us"
    ),
}
# fmt: on
_GEOGRAPHY: Final = re.compile(r"(?:[a-z]{2}|us-gov|apac|global)\.")
"""What an inference profile's id begins with. Names of vendors, with which other ids begin, are longer."""


def _bedrock(place: str, model: str) -> str:
    if model.startswith("arn:"):
        return ""
    region = _AWS.get(place, "")
    profile = _GEOGRAPHY.match(model)
    return region if profile is None or REGIONS.get(profile[0][:-1]) == region else ""


def _vertex(place: str, _model: str) -> str:
    return _GOOGLE.get(place, "")


_ADDRESSES: Final[tuple[tuple[re.Pattern[str], Callable[[str, str], str]], ...]] = (
    (re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com"), _bedrock),
    (re.compile(r"([a-z0-9-]+)-aiplatform\.googleapis\.com"), _vertex),
    (re.compile(r"aiplatform\.([a-z]+)\.rep\.googleapis\.com"), _vertex),
)
"""The host of a base URL, with the place in it, and what the place and the upstream's id of the model promise."""


def promised(base_url: str, upstream_model: str) -> str:
    """The region in which a call is processed (`europe`, `us`), "" when its address does not say."""
    host = urlsplit(base_url).hostname or ""
    for pattern, region in _ADDRESSES:
        found = pattern.fullmatch(host)
        if found is not None:
            return region(found[1], upstream_model)
    return ""


def region_named(word: str, where: str) -> str:
    """The region that an operator writes as `eu`, `europe` or `us`; `global` stays, and means that none is promised. Raises ConfigError."""
    if word == GLOBAL or word in REGIONS.values():
        return word
    if word not in REGIONS:
        raise ConfigError(where, f"{word[:40]!r} is no region", '"eu", "us", or "global" for none')
    return REGIONS[word]
