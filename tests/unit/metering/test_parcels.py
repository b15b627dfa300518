import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.metering import parcels
from trunkline.metering.parcels import MAX_BYTES, PARCELS, RECEIPTS, Parcel, Receipt, fits, frame, receive
from trunkline.protocol.generation import GenerationRecord

Make = Callable[..., GenerationRecord]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "STALL_SECONDS", 0.05)


def test_a_parcel_arrives_as_it_was_sent(pair: tuple[socket.socket, socket.socket], record: Make) -> None:
    one, other = pair
    sent = [Parcel("w1", [record(), record(app_title="é\0")]), Parcel("w2", [])]
    for parcel in sent:
        one.sendall(frame(parcel))
    assert [receive(other, PARCELS), receive(other, PARCELS)] == sent


def test_a_receipt_arrives_as_it_was_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    one.sendall(frame(Receipt(3, "database is locked")))
    assert receive(other, RECEIPTS, wait=1) == Receipt(3, "database is locked")


def test_the_end_of_the_other_side_is_no_message(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    one.close()
    assert receive(other, PARCELS) is None


@pytest.mark.parametrize("cut", [1, 3, 4, 9])
def test_a_torn_message_is_an_error(pair: tuple[socket.socket, socket.socket], record: Make, cut: int) -> None:
    one, other = pair
    one.sendall(frame(Parcel("w1", [record()]))[:cut])
    one.close()
    with pytest.raises(ConnectionResetError):
        receive(other, PARCELS)


@pytest.mark.parametrize("cut", [0, 2, 9])
def test_one_that_does_not_come_is_waited_for_so_long(pair: tuple[socket.socket, socket.socket], record: Make, cut: int) -> None:
    one, other = pair
    one.sendall(frame(Parcel("w1", [record()]))[:cut])
    with pytest.raises(TimeoutError):
        receive(other, PARCELS, wait=0.05)


def test_one_that_promises_too_much_is_not_waited_for(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    one.sendall(struct.pack("<I", MAX_BYTES + 1))
    with pytest.raises(msgspec.DecodeError, match=str(MAX_BYTES + 1)):
        receive(other, PARCELS)


@given(st.binary(max_size=200))
def test_garbage_is_an_error_or_the_end(garbage: bytes) -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(garbage)
        one.close()
        with suppress(OSError, msgspec.DecodeError):
            assert isinstance(receive(other, PARCELS), Parcel | None)


def test_what_is_too_long_does_not_fit(record: Make) -> None:
    assert fits(frame(Parcel("w1", [record()] * 1000)))
    assert not fits(frame(Parcel("w1", [record(external_user="x" * MAX_BYTES)])))
    assert len(frame(Parcel("w1", [record()] * 1000))) < 1_000_000
