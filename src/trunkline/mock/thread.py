"""The mock in a background thread, for tests and demos:

with MockServer(rules=[Rule(fault=Fault(kind="status", status=429))]) as mock:
    ...  # call mock.url + "/chat/completions"
    assert mock.seen()[0].model == "echo-1"

with MockFleet([Member(name="fast"), Member(name="down", spells=(Spell(start=5, fault=...),))]) as fleet:
    ...  # call fleet.url("fast") + "/chat/completions"
"""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from msgspec import structs

from trunkline.mock.fleet import Fleet
from trunkline.mock.listener import MockListener
from trunkline.mock.script import Member, Rule, Scene, Script, Spell
from trunkline.mock.seen import Seen

T = TypeVar("T")


class Background:
    """Something with `open` and `close` in a thread and event loop of its own. A context manager; OSError of `open` is raised there."""

    def __init__(self, served: MockListener | Fleet) -> None:
        self._served = served
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mock upstream", daemon=True)
        self._started: Future[None] = Future()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._served.open())
        except OSError as error:
            self._loop.run_until_complete(self._served.close())
            self._loop.close()
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        self._loop.run_forever()
        self._loop.run_until_complete(self._served.close())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _call(self, function: Callable[[], T]) -> T:
        """Runs the function in the mock's thread and returns what it returned, or raises what it raised."""
        result: Future[T] = Future()

        def run() -> None:
            try:
                result.set_result(function())
            except BaseException as error:  # noqa: BLE001  handed to the caller's thread
                result.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return result.result()


class MockServer(Background):
    """A mock upstream on a free port of 127.0.0.1. `scene`: all that it plays, in place of the other arguments."""

    def __init__(
        self,
        *,
        rules: Sequence[Rule] = (),
        models: Sequence[str] = ("echo-1",),
        spells: Sequence[Spell] = (),
        strict: bool = False,
        scene: Scene | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        given = Script(rules=tuple(rules), models=tuple(models), spells=tuple(spells), strict=strict) if scene is None else scene
        self._listener = MockListener(given, port=port, tls=tls)
        self._scheme = "https" if tls else "http"
        super().__init__(self._listener)

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self._scheme}://127.0.0.1:{self._listener.port}"

    @property
    def url(self) -> str:
        """The base URL a provider record takes, with `/v1`."""
        return f"{self.origin}/v1"

    def use(self, *rules: Rule) -> None:
        """Replaces the rules; the rest of what it plays stays. Raises ConfigError for a fault there is none of."""
        responder = self._listener.responder
        self._call(lambda: responder.use(structs.replace(responder.scene, rules=rules)))

    def play(self, scene: Scene) -> None:
        """Replaces all that it plays. Raises ConfigError for a fault there is none of."""
        self._call(lambda: self._listener.responder.use(scene))

    def seen(self) -> tuple[Seen, ...]:
        """Copies of the requests seen so far, oldest first."""
        return self._call(lambda: tuple(structs.replace(seen) for seen in self._listener.responder.ledger.requests))

    def wait(self, condition: Callable[[tuple[Seen, ...]], bool], seconds: float = 30.0) -> tuple[Seen, ...]:
        """What was seen, once the condition holds for it. Raises TimeoutError after `seconds`."""
        end = time.monotonic() + seconds
        while not condition(seen := self.seen()):
            if time.monotonic() > end:
                raise TimeoutError(f"the mock saw: {seen}")
            time.sleep(0.005)
        return seen

    def connections(self) -> int:
        """Number of open connections."""
        return self._call(lambda: len(self._listener.connections))

    def refuse(self, seconds: float) -> None:
        """Resets all connections and refuses new ones for that long."""
        self._call(lambda: self._listener.refuse(seconds))
        for _ in range(2):  # turns of the loop until the port is closed
            self._call(lambda: None)

    def reset(self) -> None:
        """Forgets what was seen."""
        self._call(self._listener.responder.ledger.clear)


class MockFleet(Background):
    """Endpoints with their own scripts on one clock, each on a port of 127.0.0.1."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._fleet = Fleet(members)
        super().__init__(self._fleet)

    def origin(self, name: str) -> str:
        """Scheme, host and port of a member."""
        return f"http://127.0.0.1:{self._fleet.listeners[name].port}"

    def url(self, name: str) -> str:
        """The base URL of a member that a provider record takes, with `/v1`."""
        return f"{self.origin(name)}/v1"

    def restart(self) -> None:
        """Sets the clocks of all spells to zero."""
        self._call(self._fleet.restart)

    def seen(self, name: str) -> tuple[Seen, ...]:
        """Copies of the requests that a member saw, oldest first."""
        ledger = self._fleet.listeners[name].responder.ledger
        return self._call(lambda: tuple(structs.replace(seen) for seen in ledger.requests))
