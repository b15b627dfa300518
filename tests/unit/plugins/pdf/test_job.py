"""What the gateway and the child tell each other."""

from typing import get_args

import msgspec
import pytest

from trunkline.plugins.pdf.job import REASONS, Answer, Job, Pages, Picture, Pictures, Reason, Refused, Unreadable, frame, read_frame


@pytest.mark.parametrize(
    "answer", [Pages(("One.", "ä\n"), (2,)), Pictures((Picture(1, b"\0\xffpng"),)), Pictures(), Refused("encrypted"), Pages(())]
)
def test_a_frame_comes_back_as_it_was(answer: Answer) -> None:
    data = frame(answer)
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    assert read_frame(data[4:]) == answer


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", msgspec.msgpack.encode({"type": "refused", "reason": "mood"})])
def test_anything_else_is_an_error(data: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_frame(data)


def test_a_job_is_one_line() -> None:
    assert msgspec.json.encode(Job(5, 8)) == b'{"size":5,"pictures":8}'


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    assert str(Unreadable(reason)) == REASONS[reason]
    assert Unreadable(reason).reason == reason
