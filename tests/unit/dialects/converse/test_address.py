import pytest
from endpoints import PLAIN
from msgspec.structs import replace

from trunkline.dialects.converse.address import url
from trunkline.protocol.quirks import Quirks

BASE = "https://bedrock-runtime.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("model", "escaped"),
    [
        ("us.anthropic.claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6"),
        ("amazon.nova-micro-v1:0", "amazon.nova-micro-v1%3A0"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.x", "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x"),
        ("../../admin?x=#y", "..%2F..%2Fadmin%3Fx%3D%23y"),
    ],
)
def test_the_model_is_escaped_whole(model: str, escaped: str) -> None:
    endpoint = replace(PLAIN, base_url=BASE + "/", upstream_model=model)
    assert url(endpoint, stream=False) == f"{BASE}/model/{escaped}/converse"
    assert url(endpoint, stream=True) == f"{BASE}/model/{escaped}/converse-stream"


def test_paths_of_an_endpoints_own() -> None:
    endpoint = replace(PLAIN, base_url=BASE, upstream_model="a:0", quirks=Quirks(path="/x/{model}", stream_path="/y"))
    assert (url(endpoint, stream=False), url(endpoint, stream=True)) == (f"{BASE}/x/a%3A0", f"{BASE}/y")
