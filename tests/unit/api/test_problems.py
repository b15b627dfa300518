"""Errors on the wire: one envelope for all, and no story for the caller of what nobody foresaw."""

import logging
from typing import Any

import pytest

from trunkline.errors import ApiError, StorageUnavailable


def failing(error: Exception) -> Any:
    async def fail(**_: object) -> None:
        raise error

    return fail


def test_an_unforeseen_error_is_masked_and_logged_under_its_reference(
    shared: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared.keys, "newest", failing(RuntimeError("password=hunter2")))
    with caplog.at_level(logging.ERROR, "trunkline.api.problems"):
        answer = shared.manage("GET", "/api/v1/keys")
    error = answer.json()["error"]
    assert answer.status_code == error["code"] == 500
    assert "hunter2" not in answer.text
    assert answer.headers["x-error-id"] in caplog.text and "hunter2" in caplog.text


def test_a_database_that_is_away_is_a_503_that_asks_to_come_again(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.keys, "newest", failing(StorageUnavailable("disk gone")))
    answer = shared.manage("GET", "/api/v1/keys")
    assert answer.status_code == answer.json()["error"]["code"] == 503
    assert answer.headers["retry-after"] == "5"
    assert "disk gone" not in answer.text


def test_an_api_error_keeps_status_metadata_and_headers(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ApiError("rate_limit_exceeded", "slow down", metadata={"limit": 5}, headers=[("Retry-After", "7")])
    monkeypatch.setattr(shared.keys, "newest", failing(error))
    answer = shared.manage("GET", "/api/v1/keys")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["error"]["metadata"] == {"limit": 5, "error_type": "rate_limit_exceeded"}


def test_errors_of_open_operations_can_be_read_by_browsers(shared: Any) -> None:
    answer = shared.call("GET", "/api/v1/key", headers={"origin": "https://app.example"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["error"]["message"] == "Missing Authentication header"
    assert answer.json()["error"]["metadata"]["error_type"] == "authentication"


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "BREW"])
def test_methods_nobody_knows_are_405(shared: Any, method: str) -> None:
    answer = shared.call(method, "/api/v1/keys")
    assert answer.status_code == answer.json()["error"]["code"] == 405
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
