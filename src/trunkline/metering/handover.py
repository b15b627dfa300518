"""The way of a batch from one worker to the one that writes for all: a Unix socket in the data folder.

`Desk` is the writer's side, `Courier` the others'. Only processes of the same user get through: the folder is its owner's only, the
socket has mode 0600, and on Linux both sides ask the kernel who the other is.
"""

import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from trunkline.metering.parcels import PARCELS, RECEIPTS, Parcel, Receipt, frame, receive

_LONGEST_ADDRESS: Final = 100
"""Bytes of a path that fit in a socket's address on every system; Linux takes 107."""
_PLACES: Final = 64
_PAUSE: Final = 0.1
_CREDENTIALS: Final = struct.Struct("3i")

log = logging.getLogger(__name__)


class Desk:
    """Takes parcels at the socket `path`, each connection in a thread of its own, until `close`."""

    def __init__(self, path: Path, take: Callable[[Parcel], Receipt | None]) -> None:
        """`take` stores a parcel; None = this worker writes no more, and the other may ask elsewhere. Raises OSError."""
        self._path = path
        self._take = take
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._listener = _listen(path)
        threading.Thread(target=self._accept, name="metering-desk", daemon=True).start()

    def close(self) -> None:
        """Takes no more parcels; what is being stored still gets its receipt."""
        self._closing.set()
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed, or out of descriptors
                self._closing.wait(_PAUSE)
                continue
            if self._admit(connection):
                threading.Thread(target=self._serve, args=(connection,), name="metering-desk", daemon=True).start()
            else:
                connection.close()

    def _admit(self, connection: socket.socket) -> bool:
        with self._lock:
            if self._closing.is_set() or len(self._connections) >= _PLACES or not _is_same_user(connection):
                return False
            self._connections.add(connection)
            return True

    def _serve(self, connection: socket.socket) -> None:
        try:
            while (parcel := receive(connection, PARCELS)) and (receipt := self._take(parcel)):
                connection.sendall(frame(receipt))
        except (OSError, msgspec.DecodeError) as error:
            log.warning("another worker's connection to the metering writer is dropped: %s", error)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()


class Courier:
    """One connection to the desk of the worker that writes; for one thread."""

    def __init__(self) -> None:
        self._connection: socket.socket | None = None

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    def deliver(self, path: Path, letter: bytes, wait: float) -> Receipt:
        """Sends a frame to the desk at `path`, unless there is a connection already, and waits for its receipt, `wait` seconds at most.

        Raises OSError or msgspec.DecodeError when it is not known whether the parcel is stored; then the connection is of no more use.
        """
        connection = self._connection = self._connection or _connect(path)
        connection.settimeout(wait)
        connection.sendall(letter)
        receipt = receive(connection, RECEIPTS, wait)
        if receipt is None:
            raise ConnectionResetError("the writer has ended")
        return receipt

    def close(self) -> None:
        """Ends the connection; the next `deliver` makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(_PLACES)
    except OSError:
        listener.close()
        raise
    return listener


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_PAUSE)
        with _address(path) as address:
            connection.connect(address)
        if not _is_same_user(connection):
            raise PermissionError(f"another user listens at {path}")
    except OSError:
        connection.close()
        raise
    return connection


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """A name of `path` that a socket's address has room for. Where it is long, that goes by way of the open folder, on Linux only."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _is_same_user(connection: socket.socket) -> bool:
    """Whether the process at the other end belongs to our user (unix(7), SO_PEERCRED); where the kernel cannot tell, the folder guards."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _, user, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return bool(user == os.geteuid())
