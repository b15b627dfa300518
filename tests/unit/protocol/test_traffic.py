import msgspec

from trunkline.protocol.traffic import NO_TRAFFIC, Traffic, Use


def test_an_instance_without_callers_has_no_traffic() -> None:
    assert Traffic() == NO_TRAFFIC
    assert (NO_TRAFFIC.models, NO_TRAFFIC.tasks) == ({}, {})


def test_a_sum_takes_a_row_of_figures() -> None:
    assert msgspec.structs.astuple(Use(*range(5))) == (0, 1, 2, 3, 4)
    assert Use().spent == 0
