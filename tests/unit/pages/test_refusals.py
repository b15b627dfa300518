"""What pages say when something goes wrong."""

import logging

import pytest
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException

from trunkline.errors import ApiError
from trunkline.pages.refusals import refusal_of


def test_known_errors_have_their_own_words() -> None:
    assert refusal_of(NotFoundException()).title == "Nothing here"
    assert "TRUNKLINE_PUBLIC_URL" in refusal_of(PermissionDeniedException()).text
    assert refusal_of(HTTPException(status_code=405)).status == 405
    assert refusal_of(HTTPException(status_code=411)).title == "Not understood"


def test_an_api_error_speaks_for_itself() -> None:
    refusal = refusal_of(ApiError("invalid_request", "context: odd"))
    assert (refusal.status, refusal.text) == (400, "context: odd")


@pytest.mark.parametrize("error", [RuntimeError("secret"), ApiError("server", "secret"), HTTPException("secret", status_code=500)])
def test_a_fault_of_ours_is_logged_and_masked(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        refusal = refusal_of(error)
    assert refusal.status == 500
    assert "secret" not in refusal.text
    assert refusal.reference in caplog.text
