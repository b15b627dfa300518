"""Fixtures of the black-box tests: one mock upstream and one gateway for the whole session."""

from collections.abc import Iterator

import pytest
from gateway import Gateway
from town import fresh_pairs, town

from trunkline.mock.thread import MockServer


@pytest.fixture(scope="session")
def mock() -> Iterator[MockServer]:
    """The upstream of every shared gateway; tests take `upstream`, which is this one with an empty script."""
    with MockServer() as server:
        yield server


@pytest.fixture(scope="session")
def gateway(mock: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for tests that neither stop nor reconfigure it."""
    with Gateway(tmp_path_factory.mktemp("gateway"), town(mock.url)) as running:
        yield running
        assert not [line for line in running.log if "Traceback" in line or "was never retrieved" in line], "".join(running.log)


@pytest.fixture
def upstream(mock: MockServer) -> Iterator[MockServer]:
    """The mock with no rules (it echoes) and nothing seen."""
    mock.use()
    mock.reset()
    yield mock
    mock.use()


@pytest.fixture(scope="session")
def all_pairs() -> tuple[Iterator[int], Iterator[int]]:
    """The numbers of all pairs."""
    return fresh_pairs()


@pytest.fixture(scope="session")
def pairs(all_pairs: tuple[Iterator[int], Iterator[int]]) -> Iterator[int]:
    """`next(pairs)` is the number of a model `pair/mN` that no test has used."""
    return all_pairs[0]


@pytest.fixture(scope="session")
def hasty_pairs(all_pairs: tuple[Iterator[int], Iterator[int]]) -> Iterator[int]:
    """The same, of models whose first endpoint gives up after a second."""
    return all_pairs[1]
