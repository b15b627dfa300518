import pytest

from trunkline.dialects.messages.address import HEADERS, count_url, url


@pytest.mark.parametrize("base", ["https://host.example", "https://host.example/", "https://host.example/v1", "https://host.example/v1/"])
def test_the_version_is_in_the_address_once(endpoint, base: str) -> None:
    assert url(endpoint(base_url=base), stream=False) == "https://host.example/v1/messages"
    assert url(endpoint(base_url=base), stream=True) == "https://host.example/v1/messages"
    assert count_url(endpoint(base_url=base)) == "https://host.example/v1/messages/count_tokens"


def test_a_host_below_a_path_keeps_it(endpoint) -> None:
    assert url(endpoint(base_url="https://host.example/anthropic"), stream=True) == "https://host.example/anthropic/v1/messages"


def test_a_path_of_the_hosts_own_is_data(endpoint) -> None:
    vertex = endpoint(
        base_url="https://host.example/v1/projects/p/locations/l",
        path="/publishers/anthropic/models/{model}:rawPredict",
        stream_path="/publishers/anthropic/models/{model}:streamRawPredict",
    )
    assert url(vertex, stream=False).endswith("/l/publishers/anthropic/models/up-1:rawPredict")
    assert url(vertex, stream=True).endswith("/l/publishers/anthropic/models/up-1:streamRawPredict")
    assert count_url(vertex) is None


def test_one_path_serves_both_where_no_other_is_named(endpoint) -> None:
    assert url(endpoint(path="/invoke"), stream=True) == "https://host.example/invoke"


def test_the_version_header_is_sent() -> None:
    assert HEADERS["anthropic-version"] == "2023-06-01"
