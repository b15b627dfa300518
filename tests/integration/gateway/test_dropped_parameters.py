"""What a request itself rules out does not reach the upstream, and is named (`params.dropped` of the router's metadata; pitfall 14)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from clients import CHAT, Answer, call, chat_body
from gateway import Gateway
from town import endpoint, model, provider

from trunkline.mock.thread import MockServer

CASES: list[tuple[Mapping[str, Any], set[str], set[str]]] = [
    ({"temperature": 0.5, "top_p": 0.9, "top_k": 5}, {"temperature", "top_k"}, {"top_p"}),
    ({"temperature": 0.5, "top_k": 5, "reasoning": {"max_tokens": 1024}, "max_tokens": 4000}, set(), {"temperature", "top_k"}),
    ({"top_p": 0.9}, {"top_p"}, set()),
]


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(mock: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    anthropic = provider("ant", mock.url).replace('dialect = "chat"', 'dialect = "messages"')
    town = "\n".join([anthropic, model("acme/thinker"), endpoint("acme/thinker", "ant", "thinker")])
    with Gateway(tmp_path_factory.mktemp("dropped"), town) as server:
        yield server


def asked(gateway: Gateway, *, stream: bool, **fields: Any) -> Answer:
    body = chat_body(model="acme/thinker", stream=stream, **fields)
    answer = call(gateway, "POST", CHAT, body, headers={"X-OpenRouter-Metadata": "enabled"})
    assert answer.status == 200, answer.body
    return answer


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("fields", "sent", "dropped"), CASES, ids=["beside-temperature", "while-thinking", "alone"])
def test_what_is_not_sent_is_named(
    gateway: Gateway, mock: MockServer, fields: Mapping[str, Any], sent: set[str], dropped: set[str], stream: bool
) -> None:
    mock.use()
    mock.reset()
    answer = asked(gateway, stream=stream, **fields)
    (seen,) = mock.seen()
    assert isinstance(seen.body, msgspec.Raw)
    body = msgspec.json.decode(seen.body)
    assert {"temperature", "top_p", "top_k"} & body.keys() == sent
    told = (answer.events[-1] if stream else answer.json)["openrouter_metadata"].get("params", {"dropped": []})["dropped"]
    assert {(one["name"], one["by"], one["reason"]) for one in told} == {(name, "gateway", "conflict") for name in dropped}
