"""Where calls go, at AI Studio and at Vertex."""

import pytest
from endpoints import PLAIN
from msgspec.structs import replace

from trunkline.dialects.gemini.address import HEADERS, url
from trunkline.protocol.quirks import Quirks

STUDIO = "https://studio.example"
VERTEX = "https://vertex.example/v1/projects/p/locations/global"


@pytest.mark.parametrize(
    ("base", "model", "wanted"),
    [
        (STUDIO, "gemini-2.5-flash", f"{STUDIO}/v1beta/models/gemini-2.5-flash:generateContent"),
        (f"{STUDIO}/", "gemini-2.5-flash", f"{STUDIO}/v1beta/models/gemini-2.5-flash:generateContent"),
        (f"{STUDIO}/v1beta", "gemini-2.5-flash", f"{STUDIO}/v1beta/models/gemini-2.5-flash:generateContent"),
        (f"{STUDIO}/v1", "models/gemini-3", f"{STUDIO}/v1/models/gemini-3:generateContent"),
        (STUDIO, "tunedModels/mine", f"{STUDIO}/v1beta/tunedModels/mine:generateContent"),
        (STUDIO, "a/b:c?d", f"{STUDIO}/v1beta/models/a%2Fb%3Ac%3Fd:generateContent"),
        (f"{STUDIO}/proxy", "m", f"{STUDIO}/proxy/v1beta/models/m:generateContent"),
        (VERTEX, "gemini-3-pro", f"{VERTEX}/publishers/google/models/gemini-3-pro:generateContent"),
        (VERTEX, "endpoints/123", f"{VERTEX}/endpoints/123:generateContent"),
        (VERTEX, "publishers/acme/models/m", f"{VERTEX}/publishers/acme/models/m:generateContent"),
        (f"{VERTEX}/publishers/google", "m", f"{VERTEX}/publishers/google/models/m:generateContent"),
    ],
)
def test_addresses(base: str, model: str, wanted: str) -> None:
    endpoint = replace(PLAIN, base_url=base, upstream_model=model)
    assert url(endpoint, stream=False) == wanted
    assert url(endpoint, stream=True) == wanted.replace(":generateContent", ":streamGenerateContent?alt=sse")


def test_a_quirk_names_the_path() -> None:
    quirks = Quirks(path="/x/{model}:go", stream_path="/x/{model}:flow")
    endpoint = replace(PLAIN, base_url=STUDIO, upstream_model="a b", quirks=quirks)
    assert url(endpoint, stream=False) == f"{STUDIO}/x/a%20b:go"
    assert url(endpoint, stream=True) == f"{STUDIO}/x/a%20b:flow"
    assert url(replace(endpoint, quirks=Quirks(path="/one")), stream=True) == f"{STUDIO}/one"


def test_no_header_is_fixed() -> None:
    assert not HEADERS
