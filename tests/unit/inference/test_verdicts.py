"""Every class of failure has a row, in code and in the documentation, and every error type is one of the contract's."""

import inspect
from pathlib import Path

import pytest

from trunkline import errors
from trunkline.errors import STATUS_OF_TYPE, UpstreamError
from trunkline.inference.verdicts import VERDICTS, verdict

PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"


def kinds_of_classes() -> set[str]:
    return {one.kind for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, UpstreamError)}


def test_every_class_of_error_has_a_row() -> None:
    assert kinds_of_classes() <= set(VERDICTS)
    assert verdict(UpstreamError("x")) is VERDICTS["server"]


@pytest.mark.parametrize("kind", VERDICTS)
def test_every_row_tells_a_type_of_the_contract(kind: str) -> None:
    assert VERDICTS[kind].error_type in STATUS_OF_TYPE


@pytest.mark.parametrize("kind", VERDICTS)
def test_the_documentation_has_the_same_rows(kind: str) -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and f"`{kind}`" in line.split("|")[1]]
    assert len(rows) == 1
    counts, told = rows[0].split("|")[3:5]
    assert (counts.strip() == "yes") is VERDICTS[kind].counts
    assert f"`{VERDICTS[kind].error_type}`" in told
    assert str(STATUS_OF_TYPE[VERDICTS[kind].error_type]) in told


def test_nothing_the_caller_did_counts_against_an_endpoint() -> None:
    for kind in ("caller_fault", "context_length", "max_output", "unsupported_param", "moderation", "rate_limit"):
        assert not VERDICTS[kind].counts
