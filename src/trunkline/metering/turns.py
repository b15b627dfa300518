"""A lock that threads get in the order in which they asked.

`threading.Lock` lets whoever comes by have it: a thread that writes batch after batch would keep those that wait for their turn waiting.
"""

import threading
from collections import deque


class Turns:
    """A context manager; for threads, and not to be entered twice by one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_error: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
