import msgspec

from trunkline.catalogue.statistics import UNMEASURED_ENDPOINT, UNMEASURED_MODEL, EndpointStats, Percentiles


def test_what_nobody_measured_is_none_and_not_nought() -> None:
    fields = msgspec.structs.asdict(UNMEASURED_ENDPOINT)
    assert fields.pop("status") == 0
    assert set(fields.values()) == {None}
    fields = msgspec.structs.asdict(UNMEASURED_MODEL)
    assert fields.pop("categories") == frozenset()
    assert set(fields.values()) == {None}


def test_figures_cannot_be_changed_afterwards() -> None:
    stats = EndpointStats(latency=Percentiles(1, 2, 3, 4))
    try:
        stats.status = 1  # type: ignore[misc]
    except AttributeError:
        return
    raise AssertionError("the Struct is not frozen")
