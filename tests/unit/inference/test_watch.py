"""The watch over a streaming reply."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest
from pipelines import Outcome

from trunkline.errors import UpstreamTimeout
from trunkline.inference import reply as reply_module
from trunkline.inference import watch as module
from trunkline.inference.reply import COMMENT, AsgiReply
from trunkline.inference.watch import ContentClock, Drains, Watch


class Scene:
    """A watched task that waits until it is cancelled or `seconds` are over."""

    def __init__(self, *, leave: float = 3600.0, bills_on: bool = False, drains: Drains | None = None) -> None:
        self.outcome = Outcome()
        self.reply = AsgiReply(self.outcome.send, self._receive, [])
        self.drains = drains or Drains()
        self._leave = leave
        self._bills_on = bills_on
        self.cancelled = False

    def play(self, seconds: float, act: Callable[["Scene"], Awaitable[None]] | None = None) -> Watch:
        return asyncio.run(self._play(seconds, act))

    async def _receive(self) -> dict[str, str]:
        await asyncio.sleep(self._leave)
        return {"type": "http.disconnect"}

    async def _play(self, seconds: float, act: Callable[["Scene"], Awaitable[None]] | None) -> Watch:
        watch = Watch(self.reply, self.drains, lambda: self._bills_on)
        try:
            if act is not None:
                await act(self)
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            watch.forgive()
        finally:
            watch.stop()
        await asyncio.sleep(0)
        return watch


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.03)
    monkeypatch.setattr(module, "STALL_SECONDS", 0.05)
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.05)


def test_silence_is_filled_with_comments_that_commit_the_status() -> None:
    async def wait_for_two(scene: Scene) -> None:
        async with asyncio.timeout(30):
            while len(scene.outcome.pieces) < 2:
                await asyncio.sleep(0.005)

    scene = Scene()
    begun = time.monotonic()
    scene.play(0.0, wait_for_two)
    assert time.monotonic() - begun >= 2 * module.SILENCE_SECONDS
    assert scene.outcome.status == 200
    assert set(scene.outcome.pieces) == {COMMENT}


def test_a_stream_that_speaks_needs_no_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1.0
    for room in (module, reply_module):
        monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: now))

    async def speak(scene: Scene) -> None:
        nonlocal now
        for _ in range(12):
            now += 0.02
            await scene.reply.write(b"x")
            await asyncio.sleep(0.02)

    scene = Scene()
    scene.play(0.0, speak)
    assert COMMENT not in scene.outcome.pieces


def test_a_client_that_leaves_ends_the_task() -> None:
    scene = Scene(leave=0.02)
    watch = scene.play(5.0)
    assert scene.cancelled
    assert watch.reason == "gone"


def test_an_endpoint_that_bills_on_is_drained_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAIN_SECONDS", 60.0)
    scene = Scene(leave=0.01, bills_on=True)
    watch = scene.play(0.03)
    assert not scene.cancelled
    assert watch.draining
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.05)
    scene = Scene(leave=0.01, bills_on=True)
    watch = scene.play(5.0)
    assert scene.cancelled
    assert watch.reason == "gone"
    assert scene.drains.take()


def test_there_is_room_for_so_many_drains_only() -> None:
    full = Drains(1)
    assert full.take()
    scene = Scene(leave=0.01, bills_on=True, drains=full)
    assert scene.play(5.0).reason == "gone"
    full.give()
    assert full.take()
    assert not full.take()


def test_a_client_that_does_not_read_is_given_up() -> None:
    async def stall(scene: Scene) -> None:
        scene.reply.blocked_since = asyncio.get_running_loop().time()

    scene = Scene()
    watch = scene.play(5.0, stall)
    assert scene.cancelled
    assert watch.reason == "stalled"


def test_a_watch_that_ended_does_nothing() -> None:
    scene = Scene(leave=0.05)
    scene.play(0.0)
    assert not scene.cancelled
    assert scene.outcome.pieces == []


def test_the_content_clock_rings_only_without_progress() -> None:
    clock = ContentClock(0.0)
    clock.check(1)
    clock.check(2)
    with pytest.raises(UpstreamTimeout, match="content_idle"):
        clock.check(2)
