"""Every class of failure has a row, in code and in the documentation, and every error type is one of the contract's."""

import inspect
from pathlib import Path

import pytest

from trunkline import errors
from trunkline.errors import STATUS_OF_TYPE, UpstreamError
from trunkline.inference.verdicts import PASSING, VERDICTS, verdict

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


def test_a_bad_certificate_is_no_reason_to_try_there_again() -> None:
    row = verdict(errors.CertificateRejected("x"))
    assert row.advances and row.counts
    assert not row.again
    assert row.error_type == "provider_unavailable"


def test_nothing_the_caller_did_counts_against_an_endpoint() -> None:
    for kind in ("caller_fault", "context_length", "max_output", "unsupported_param", "moderation", "flagged", "rate_limit"):
        assert not VERDICTS[kind].counts


def test_what_passes_says_nothing_of_the_request() -> None:
    lasting = {kind for kind, row in VERDICTS.items() if row.error_type not in PASSING}
    assert lasting == {
        *("model_access", "region", "context_length", "max_output", "unsupported_param", "stale_reasoning", "moderation", "flagged"),
        "caller_fault",
    }


def test_what_a_callers_own_key_is_refused_for_is_its_owners_to_mend() -> None:
    refused = errors.UpstreamRefused("credential", "no", status=401)
    assert (verdict(refused).error_type, verdict(refused).counts) == ("provider_unavailable", True)
    assert (verdict(refused, own_key=True).error_type, verdict(refused, own_key=True).counts) == ("authentication", False)
    broken = errors.UpstreamRefused("server", "no", status=500)
    assert verdict(broken, own_key=True) is verdict(broken)
