import msgspec
import pytest

from trunkline.mock.seen import Ledger, Seen, body_of


def seen(number: int, body: bytes = b"{}") -> Seen:
    return Seen(number=number, at=1.0, method="POST", path="/", headers=[("x-a", "1"), ("x-a", "2")], body=body_of(body))


def test_bodies_are_json_when_they_are_json_and_text_otherwise() -> None:
    assert body_of(b'{"a": 1}') == msgspec.Raw(b'{"a": 1}')
    assert body_of(b"\xff{") == "\\xff{"


def test_a_request_shows_its_headers_and_its_body() -> None:
    assert seen(1).header("x-a") == "1"
    assert seen(1).header("x-b") is None
    assert seen(1, b'{"a": 1}').json() == {"a": 1}
    with pytest.raises(ValueError):
        seen(1, b"[]").json()
    with pytest.raises(ValueError):
        seen(1, b"no").json()


def test_the_ledger_is_bounded_and_counts_on() -> None:
    ledger = Ledger(limit=2)
    for number in range(5):
        ledger.add(seen(number))
    assert ledger.total == 5
    assert [request.number for request in ledger.requests] == [3, 4]
    shown = msgspec.json.decode(ledger.encode())
    assert (shown["total"], [request["body"] for request in shown["requests"]]) == (5, [{}, {}])
    ledger.clear()
    assert (ledger.total, ledger.requests) == (0, ())
