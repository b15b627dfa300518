"""`GET /health`."""

from typing import Any

from trunkline import __version__


def test_health_needs_no_key_and_no_locality(shared: Any) -> None:
    answer = shared.call("GET", "/health", peer="203.0.113.9", host="anything.example")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": __version__}


def test_health_tells_no_secret(shared: Any) -> None:
    assert "literal-secret" not in shared.call("GET", "/health").text
