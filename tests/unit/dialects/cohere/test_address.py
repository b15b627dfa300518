from endpoints import PLAIN
from msgspec.structs import replace

from trunkline.dialects.cohere.address import url
from trunkline.protocol.quirks import Quirks


def test_the_address() -> None:
    for base in ("https://api.cohere.com", "https://api.cohere.com/", "https://api.cohere.com/v2"):
        endpoint = replace(PLAIN, base_url=base)
        assert url(endpoint, stream=False) == url(endpoint, stream=True) == "https://api.cohere.com/v2/chat"


def test_paths_of_an_endpoints_own() -> None:
    endpoint = replace(PLAIN, base_url="https://a.test", quirks=Quirks(path="/x", stream_path="/y"))
    assert (url(endpoint, stream=False), url(endpoint, stream=True)) == ("https://a.test/x", "https://a.test/y")
