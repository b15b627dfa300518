"""Vectors of texts, by this server's own embedding model (`local.embedder_child`)."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from trunkline.errors import MalformedResponse, UpstreamRefused
from trunkline.inference.routes import Launch
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client

LARGEST_ANSWER: Final = 256 * 1024


class _Vector(Struct):
    embedding: list[float]


class _Answer(Struct):
    data: tuple[_Vector]


_ANSWER: Final = msgspec.json.Decoder(_Answer)


class LocalEmbedding:
    """Asks the model at `base_url` (ending in /v1), after `launch` has seen to it that it runs."""

    def __init__(self, client: Client, base_url: str, api_key: str, launch: Launch) -> None:
        headers = {"content-type": "application/json", "authorization": f"Bearer {api_key}"}
        self._client = client
        self._target = client.target("POST", f"{base_url}/embeddings", headers, operator_url=True)
        self._launch = launch
        self._timeouts = Timeouts()

    async def __call__(self, text: str) -> Sequence[float]:
        """The vector of a text, of unit length. Raises UpstreamError."""
        await self._launch()
        response = await self._client.send(self._target, msgspec.json.encode({"input": text}), self._timeouts)
        body = await response.read_all(LARGEST_ANSWER)
        if response.status != 200:
            raise UpstreamRefused("server", "the embedding model refused a text", status=response.status)
        try:
            return _ANSWER.decode(body).data[0].embedding
        except msgspec.MsgspecError as error:
            raise MalformedResponse(f"the embedding model's answer: {error}") from None
