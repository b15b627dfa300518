import os
import socket
import stat
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from trunkline.metering import handover, parcels
from trunkline.metering.handover import Courier, Desk
from trunkline.metering.parcels import RECEIPTS, Parcel, Receipt, frame, receive
from trunkline.protocol.generation import GenerationRecord

Make = Callable[..., GenerationRecord]
WAIT = 10.0


class Office:
    """A desk that keeps what it takes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken: list[Parcel] = []
        self.receipt: Receipt | None = Receipt(2)
        self.desk = Desk(path, self.take)

    def take(self, parcel: Parcel) -> Receipt | None:
        self.taken.append(parcel)
        return self.receipt


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "writer-1.sock")
    yield office
    office.desk.close()


@pytest.fixture
def courier() -> Iterator[Courier]:
    courier = Courier()
    yield courier
    courier.close()


def test_each_parcel_gets_a_receipt(office: Office, courier: Courier, record: Make) -> None:
    sent = [Parcel("w1", [record() for _ in range(count)]) for count in (1, 1000, 0)]
    assert not courier.is_connected
    for parcel in sent:
        assert courier.deliver(office.path, frame(parcel), WAIT) == Receipt(2)
        assert courier.is_connected
    assert office.taken == sent


def test_several_couriers_are_served_at_once(office: Office, record: Make) -> None:
    couriers = [Courier() for _ in range(5)]
    for number, courier in enumerate(couriers * 2):
        courier.deliver(office.path, frame(Parcel(f"w{number % 5}", [record()])), WAIT)
    assert [parcel.worker_id for parcel in office.taken] == [f"w{number % 5}" for number in range(10)]
    for courier in couriers:
        courier.close()


def test_only_the_owner_may_use_the_socket(office: Office) -> None:
    assert stat.S_IMODE(office.path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who the other is")
def test_another_user_is_sent_away_by_the_desk(office: Office, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = handover._connect
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(PermissionError, match="another user listens"):
        connect(office.path)
    monkeypatch.setattr(handover, "_connect", raw)
    with closing(Courier()) as courier, pytest.raises((ConnectionError, BrokenPipeError)):
        courier.deliver(office.path, frame(Parcel("w1", [record()])), WAIT)
    assert office.taken == []


def raw(path: Path) -> socket.socket:
    """A connection of somebody who asks nothing first."""
    connection = socket.socket(socket.AF_UNIX)
    with handover._address(path) as address:
        connection.connect(address)
    return connection


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n", struct.pack("<I", 2**32 - 1), struct.pack("<I", 3) + b"abc", struct.pack("<I", 9) + b"ab"],
    ids=["http", "huge", "no msgpack", "stalled"],
)
def test_who_sends_garbage_is_dropped_and_the_others_are_served(
    office: Office, courier: Courier, record: Make, garbage: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(parcels, "STALL_SECONDS", 0.05)
    courier.deliver(office.path, frame(Parcel("w1", [record()])), WAIT)
    with raw(office.path) as stranger:
        stranger.sendall(garbage)
        stranger.settimeout(WAIT)
        with suppress(ConnectionResetError):  # it left some of the garbage unread
            assert stranger.recv(1) == b""
    courier.deliver(office.path, frame(Parcel("w1", [record()])), WAIT)
    assert len(office.taken) == 2
    assert "is dropped" in caplog.text


def test_a_long_path_is_reached_too(tmp_path: Path, courier: Courier, record: Make) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    if sys.platform != "linux":
        pytest.skip("only Linux reaches a long path")
    office = Office(folder / "writer-2.sock")
    assert courier.deliver(office.path, frame(Parcel("w1", [record()])), WAIT) == Receipt(2)
    assert stat.S_ISSOCK(office.path.stat().st_mode)
    office.desk.close()
    assert list(folder.iterdir()) == []


def test_a_desk_that_closes_ends_its_connections_and_its_socket(office: Office, courier: Courier, record: Make) -> None:
    letter = frame(Parcel("w1", [record()]))
    courier.deliver(office.path, letter, WAIT)
    office.desk.close()
    assert not office.path.exists()
    with pytest.raises(OSError):
        courier.deliver(office.path, letter, WAIT)
    courier.close()
    with pytest.raises(FileNotFoundError):
        courier.deliver(office.path, letter, WAIT)
    assert len(office.taken) == 1


def test_what_is_being_stored_while_the_desk_closes_gets_its_receipt(tmp_path: Path, record: Make) -> None:
    storing, stored = threading.Event(), threading.Event()

    def take(_parcel: Parcel) -> Receipt:
        storing.set()
        stored.wait(WAIT)
        return Receipt(7)

    desk = Desk(tmp_path / "writer-3.sock", take)
    with raw(tmp_path / "writer-3.sock") as connection:
        connection.sendall(frame(Parcel("w1", [record()])))
        assert storing.wait(WAIT)
        desk.close()
        stored.set()
        assert receive(connection, RECEIPTS, WAIT) == Receipt(7)
        assert receive(connection, RECEIPTS, WAIT) is None


def test_a_desk_that_writes_no_more_ends_the_connection(office: Office, courier: Courier, record: Make) -> None:
    office.receipt = None
    with pytest.raises(ConnectionResetError, match="the writer has ended"):
        courier.deliver(office.path, frame(Parcel("w1", [record()])), WAIT)


def test_a_desk_that_says_nothing_is_waited_for_so_long(tmp_path: Path, courier: Courier, record: Make) -> None:
    ending = threading.Event()

    def take(_parcel: Parcel) -> None:
        ending.wait(WAIT)

    desk = Desk(tmp_path / "writer-4.sock", take)
    with pytest.raises(TimeoutError):
        courier.deliver(tmp_path / "writer-4.sock", frame(Parcel("w1", [record()])), 0.05)
    ending.set()
    desk.close()


def test_no_more_are_admitted_than_there_are_places(office: Office, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_PLACES", 2)
    couriers = [Courier() for _ in range(3)]
    letter = frame(Parcel("w1", [record()]))
    for courier in couriers[:2]:
        courier.deliver(office.path, letter, WAIT)
    with pytest.raises(OSError):
        couriers[2].deliver(office.path, letter, WAIT)
    for courier in couriers:
        courier.close()


def test_a_path_that_is_taken_is_an_oserror(office: Office) -> None:
    with pytest.raises(OSError, match="in use"):
        Desk(office.path, office.take)
