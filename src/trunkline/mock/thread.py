"""The mock in a background thread, for tests and demos:

with MockServer(rules=[Rule(fault=Fault(kind="status", status=429))]) as mock:
    ...  # call mock.url + "/chat/completions"
    assert mock.seen()[0].model == "echo-1"
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

from trunkline.mock.script import Rule, Script
from trunkline.mock.seen import Seen
from trunkline.mock.server import MockListener

T = TypeVar("T")


class MockServer:
    """A mock upstream on a free port of 127.0.0.1, with its own thread and event loop. A context manager."""

    def __init__(
        self, *, rules: Sequence[Rule] = (), models: Sequence[str] = ("echo-1",), tls: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        self._listener = MockListener(Script(rules=tuple(rules), models=tuple(models)), port=port, tls=tls)
        self._scheme = "https" if tls else "http"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mock upstream", daemon=True)
        self._started: Future[None] = Future()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._listener.open())
        except OSError as error:
            self._loop.close()
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        self._loop.run_forever()
        self._loop.run_until_complete(self._listener.close())
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
        """Replaces the rules. Raises ConfigError for a fault there is none of."""
        self._call(lambda: self._listener.responder.use(Script(rules=rules)))

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

    def reset(self) -> None:
        """Forgets what was seen."""
        self._call(self._listener.responder.ledger.clear)
