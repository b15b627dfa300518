"""`GET /health`: whether the server is ready. Load balancers and start scripts ask; it needs no credential and tells no secret."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from trunkline import __version__
from trunkline.api.call import Call, Reply, reply

_ALARMING: Final = ("lost", "rejected", "dropped")


def _none() -> None:
    """There is no hedging."""


class Health:
    """Answers with the state of the server, whichever worker was asked. `recording` is `metering.recorder.Recorder.counters`; `hedging` is
    `inference.hedging.Hedging.counters`, of the worker that was asked, None while there is no hedging."""

    def __init__(self, recording: Callable[[], Mapping[str, int]], hedging: Callable[[], Mapping[str, float] | None] = _none) -> None:
        self._recording = recording
        self._hedging = hedging

    async def answer(self, _call: Call) -> Reply:
        """200 as soon as the server takes requests, with the recorder's counters; `degraded` once it could not keep a record as it should.
        `tasks` are those of the event loop of the worker that answers, the one that does so among them: a number that must not grow.

        That is no reason to take the server out of service, since requests go on: hence 200. It stays so until the server starts again.
        """
        recording = self._recording()
        degraded = any(recording[name] for name in _ALARMING)
        told: dict[str, object] = {"status": "degraded" if degraded else "ok", "version": __version__, "recording": recording}
        told["tasks"] = len(asyncio.all_tasks())
        hedging = self._hedging()
        return reply(told if hedging is None else {**told, "hedging": hedging})
