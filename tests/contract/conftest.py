"""The servers that contract tests talk to."""

from collections.abc import Iterator

import pytest
from gateway import Gateway
from polyglot import polyglot
from servers import all_pairs, gateway, mock, pairs, upstream

from trunkline.mock.thread import MockServer

__all__ = ["all_pairs", "gateway", "mock", "pairs", "speaker", "upstream"]


@pytest.fixture(scope="session")
def speaker(mock: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose models `poly/<dialect>` are served in that dialect."""
    with Gateway(tmp_path_factory.mktemp("polyglot"), polyglot(mock.origin)) as running:
        yield running
        assert not [line for line in running.log if "Traceback" in line or "was never retrieved" in line], "".join(running.log)
