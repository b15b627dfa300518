import pytest
from endpoints import PLAIN
from msgspec.structs import replace

from trunkline.dialects.chat import address
from trunkline.protocol.quirks import Quirks


@pytest.mark.parametrize("base", ["http://x/v1", "http://x/v1/"])
@pytest.mark.parametrize("stream", [True, False])
def test_both_kinds_of_answers_come_from_one_place(base: str, stream: bool) -> None:
    assert address.url(replace(PLAIN, base_url=base), stream=stream) == "http://x/v1/chat/completions"
    assert not address.HEADERS


def test_an_endpoint_may_have_a_path_of_its_own() -> None:
    own = replace(PLAIN, base_url="http://x", upstream_model="m-1", quirks=Quirks(path="/v9/{model}/chat?api-version=1"))
    assert [address.url(own, stream=stream) for stream in (False, True)] == ["http://x/v9/m-1/chat?api-version=1"] * 2
    two = replace(own, quirks=Quirks(stream_path="/s"))
    assert [address.url(two, stream=stream) for stream in (False, True)] == ["http://x/chat/completions", "http://x/s"]
