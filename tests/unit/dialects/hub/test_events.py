import typing

from trunkline.dialects.hub import events


def test_there_are_nine() -> None:
    assert len(typing.get_args(events.Event)) == 9
