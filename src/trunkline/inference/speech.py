"""The life of a request for speech: sound is passed through as it comes, and until its first bytes another endpoint can step in."""

from typing import cast

from msgspec import Struct

from trunkline.dialects.oneshot import Result
from trunkline.dialects.speech.request import SpeechRequest
from trunkline.dialects.speech.sound import is_usable
from trunkline.errors import UpstreamError
from trunkline.inference.answered import Measured
from trunkline.inference.call import Exchange
from trunkline.inference.lines import Line
from trunkline.inference.oneshot import OneShot
from trunkline.inference.reply import Reply
from trunkline.inference.verdicts import verdict
from trunkline.protocol.catalogue import Endpoint
from trunkline.transport.response import Response


class Sound(Struct):
    """A sound that has begun."""

    response: Response
    first: bytes
    result: Result


class Speech(OneShot):
    """Runs requests for speech."""

    async def _stream(self, exchange: Exchange, reply: Reply) -> None:
        """Sound to its end. It is charged when it is whole, also when the client has left meanwhile: the upstream charges all of it."""
        endpoint, sound = await self._attempts.first_success(exchange, self._opened)
        try:
            await self._deliver_sound(exchange, endpoint, sound, reply)
        finally:
            sound.response.close()

    async def _deliver_sound(self, exchange: Exchange, endpoint: Endpoint, sound: Sound, reply: Reply) -> None:
        reply.become(sound.result.content)
        piece = sound.first
        try:
            while piece:
                await reply.write(piece)
                piece = await sound.response.read()
        except UpstreamError as error:
            self._attempts.failed(exchange, endpoint, error)
            self._services.ledger.fail(exchange, status=502, error_type=verdict(error).error_type)
            raise
        self._services.ledger.succeed(exchange, endpoint, Measured(sound.result))
        await reply.write(b"", last=True)

    async def _opened(self, exchange: Exchange, line: Line) -> Sound:
        """A sound of which so much has arrived that it can be heard."""
        shape, request = self.shape(line.endpoint), cast(SpeechRequest, exchange.request)
        response = await self.sent(line, shape.send(request, line.endpoint)[0])
        try:
            first = await response.read()
            while not is_usable(request, first) and (more := await response.read()):
                first += more
            if (response.header(b"content-type") or b"").startswith(b"application/json"):
                first += await response.read_all(len(first) + 64 * 1024)
            return Sound(response, first, shape.read(request, line.endpoint, [first]))
        except BaseException:
            response.close()
            raise
