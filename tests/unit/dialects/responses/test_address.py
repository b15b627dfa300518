from endpoints import PLAIN
from msgspec.structs import replace

from trunkline.dialects.responses.address import HEADERS, url
from trunkline.protocol.quirks import Quirks


def test_streams_and_whole_answers_have_one_address() -> None:
    endpoint = replace(PLAIN, base_url="https://api.x.test/v1")
    assert url(endpoint, stream=False) == url(endpoint, stream=True) == "https://api.x.test/v1/responses"
    assert url(replace(PLAIN, base_url="https://api.x.test/v1/"), stream=True) == "https://api.x.test/v1/responses"
    assert dict(HEADERS) == {}


def test_a_path_may_be_another() -> None:
    endpoint = replace(PLAIN, base_url="https://x", quirks=Quirks(path="/openai/{model}/responses", stream_path="/s"))
    assert url(endpoint, stream=False) == "https://x/openai/m/responses"
    assert url(endpoint, stream=True) == "https://x/s"
