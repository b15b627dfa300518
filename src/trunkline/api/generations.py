"""`GET /generation`: what became of one request, its tokens and its cost. Any worker answers, at once after the reply ended."""

from trunkline.api.call import Call, Reply, reply
from trunkline.api.queries import only
from trunkline.errors import ApiError
from trunkline.metering.recorder import Recorder
from trunkline.metering.view import generation_view
from trunkline.protocol.identity import generation_bytes


class Generations:
    """The tag Generations, over the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def read(self, call: Call) -> Reply:
        """The record of a generation that the calling key made. Raises ApiError `not_found` for one that is unknown or another key's."""
        text = only(call.query, "id")
        if not text:
            raise ApiError("invalid_request", "id: required, but missing", metadata={"field": "id"})
        missing = ApiError("not_found", f"Generation {text[:64]} not found")
        try:
            record = await self._recorder.find(generation_bytes(text))
        except ValueError:
            raise missing from None
        if record is None or record.key_hash != call.caller.key_hash:
            raise missing
        return reply({"data": generation_view(record)})
