"""Images as they are made: OpenAI's events in, ours out (contract 5.6).

A partial image goes out as it comes; the finished ones wait until their cost is known, so that the last event can tell it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from trunkline.dialects.hub.translation import Identity, SeenCall
from trunkline.dialects.images.answer import picture_view, usage_view
from trunkline.dialects.images.generations import tokens
from trunkline.dialects.images.picture import Picture, picture, pictures
from trunkline.dialects.oneshot import document
from trunkline.errors import ApiError, UpstreamError
from trunkline.protocol.usage import Cost, Units, Usage

DONE = b"data: [DONE]\n\n"


class ImageStream:
    """One streamed answer (`dialects.hub.translation.StreamTranslator`) of `count` images."""

    native_finish_reason: str | None = None
    service_tier: str | None = None
    upstream_id: str | None = None
    output_chars = 0
    tool_calls: Sequence[SeenCall] = ()

    def __init__(self, identity: Identity, count: int) -> None:
        self.committed = False
        self.error: UpstreamError | None = None
        self.usage: dict[str, object] | None = None
        self._identity = identity
        self._count = count
        self._made: list[Picture] = []

    @property
    def done(self) -> bool:
        return len(self._made) >= self._count

    @property
    def finish_reason(self) -> str | None:
        return "stop" if self.done else None

    @property
    def units(self) -> Units:
        return Units(images=len(self._made))

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Client bytes for the payloads of one read; after an error nothing more is read."""
        return b"".join([self._event(payload) for payload in payloads if payload != b"[DONE]"])

    def unstreamed(self, body: bytes) -> bytes:
        """A complete answer in place of a stream."""
        try:
            said = document(body)
            self._made = list(pictures(said.get("data")))[: self._count]
        except UpstreamError as error:
            self.error = error
            return b""
        self._count = len(self._made)
        self._account(said.get("usage"))
        self.committed = True
        return b""

    def end(self) -> bytes:
        """Nothing is held back."""
        return b""

    def finish(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The finished images, the last with what all cost."""
        last = len(self._made) - 1
        events = [
            {
                "type": "image_generation.completed",
                **picture_view(one),
                "created": self._identity.created,
                **({"usage": usage_view(usage, cost)} if index == last else {}),
            }
            for index, one in enumerate(self._made)
        ]
        return b"".join([_framed(event) for event in events]) + DONE

    def fail(self, error: ApiError) -> bytes:
        """An error inside the stream."""
        return failure(error)

    def _event(self, payload: bytes) -> bytes:
        if self.error is not None:
            return b""
        try:
            return self._take(document(payload))
        except UpstreamError as error:
            self.error = error
            return b""

    def _take(self, event: dict[str, Any]) -> bytes:
        kind = str(event.get("type")).rpartition(".")[2]
        if kind == "partial_image":
            self.committed = True
            index = event.get("partial_image_index")
            partial = picture(event.get("b64_json"))
            return _framed(
                {
                    "type": "image_generation.partial_image",
                    "partial_image_index": index if isinstance(index, int) else 0,
                    "b64_json": partial.data,
                }
            )
        if kind == "completed":
            self._made.append(picture(event.get("b64_json")))
            self._account(event.get("usage"))
            self.committed = True
        return b""

    def _account(self, usage: object) -> None:
        self.usage = dict(tokens(usage))


def failure(error: ApiError) -> bytes:
    """The end of a stream that brought no image."""
    told = {"message": error.message, "code": str(error.status), "type": error.error_type}
    return _framed({"type": "error", "error": told}) + DONE


def _framed(event: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


class ImageEncoder:
    """Ends streams of which nothing was seen yet; whole answers are written by `answer`."""

    def __init__(self, identity: Identity, _request: object) -> None:
        self._identity = identity

    def fail(self, error: ApiError) -> bytes:
        """An error inside the stream."""
        return failure(error)
