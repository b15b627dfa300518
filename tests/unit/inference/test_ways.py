"""Which way a request takes: the same dialect passes, another goes by way of the hub, and an edited request always does."""

import typing

import msgspec
import pytest
from pipelines import served

from trunkline.inference.ways import OUTBOUND, PASSAGES, PassThrough, Translation, translation, way
from trunkline.protocol.catalogue import Dialect

DIALECTS: tuple[Dialect, ...] = typing.get_args(Dialect)


def test_every_dialect_can_be_reached() -> None:
    assert set(OUTBOUND) == set(DIALECTS)


@pytest.mark.parametrize("there", DIALECTS)
@pytest.mark.parametrize("here", PASSAGES)
def test_the_way_depends_on_both_sides(here: Dialect, there: Dialect) -> None:
    endpoint = msgspec.structs.replace(served("one"), dialect=there)
    assert isinstance(way(here, endpoint), PassThrough if here == there else Translation)
    assert isinstance(translation(endpoint), Translation)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_calls_go_below_the_base_url(dialect: Dialect) -> None:
    endpoint = msgspec.structs.replace(served("one"), dialect=dialect)
    for stream in (False, True):
        assert OUTBOUND[dialect].url(endpoint, stream=stream).startswith("http://one.test/")
