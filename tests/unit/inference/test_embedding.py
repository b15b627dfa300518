import asyncio

import pytest

from trunkline.errors import UpstreamError
from trunkline.inference.embedding import LocalEmbedding
from trunkline.transport.fake import FakeClient, FakeReply

JSON = {"content-type": "application/json"}


def ask(reply: FakeReply) -> tuple[list[float], FakeClient, int]:
    client, launched = FakeClient(reply), []

    async def launch() -> None:
        launched.append(1)

    async def run() -> list[float]:
        return list(await LocalEmbedding(client, "http://127.0.0.1:9/v1", "key", launch)("Hello"))

    return asyncio.run(run()), client, len(launched)


def test_a_vector() -> None:
    vector, client, launched = ask(FakeReply(200, JSON, [b'{"data": [{"embedding": [0.5, -1]}]}']))
    assert (vector, launched) == ([0.5, -1.0], 1)
    assert client.sent[0].body == b'{"input":"Hello"}'


@pytest.mark.parametrize("reply", [FakeReply(500, JSON, [b"{}"]), FakeReply(200, JSON, [b'{"data": []}']), FakeReply(200, JSON, [b"x"])])
def test_no_vector(reply: FakeReply) -> None:
    with pytest.raises(UpstreamError):
        ask(reply)
