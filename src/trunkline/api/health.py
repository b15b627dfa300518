"""`GET /health`: whether the server is ready. Load balancers and start scripts ask; it needs no credential and tells no secret."""

from collections.abc import Callable, Mapping
from typing import Final

from trunkline import __version__
from trunkline.api.call import Call, Reply, reply

_ALARMING: Final = ("lost", "rejected", "dropped")


class Health:
    """Answers with the state of the server, whichever worker was asked. `recording` is `metering.recorder.Recorder.counters`."""

    def __init__(self, recording: Callable[[], Mapping[str, int]]) -> None:
        self._recording = recording

    async def answer(self, _call: Call) -> Reply:
        """200 as soon as the server takes requests, with the recorder's counters; `degraded` once it could not keep a record as it should.

        That is no reason to take the server out of service, since requests go on: hence 200. It stays so until the server starts again.
        """
        recording = self._recording()
        degraded = any(recording[name] for name in _ALARMING)
        return reply({"status": "degraded" if degraded else "ok", "version": __version__, "recording": recording})
