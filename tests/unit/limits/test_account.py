import pytest

from trunkline.accounts.leases_store import Ask, Grant
from trunkline.limits.account import EXPIRY_MARGIN_MS, FREE_REQUEST_MS, REFUSAL_MS, Account, Hold
from trunkline.protocol.money import PICO_PER_USD

NOW = 1_700_000_000_000
GRANT = Grant("granted", free=100, left=500, expires_ms=NOW + 60_000, limit=500, window_end_ms=NOW + 90_000)


def _account(grant: Grant = GRANT) -> Account:
    account = Account("k", NOW)
    account.stale = False
    account.learn(Ask(0, 0, 10), 0, grant, NOW)
    return account


def test_a_new_account_knows_nothing() -> None:
    assert Account("k", NOW).take(0, NOW) is None


def test_money_is_reserved_and_the_rest_comes_back() -> None:
    account = _account()
    hold = account.take(70, NOW)
    assert hold is not None
    assert (account.free, account.held, account.running, account.left) == (30, 70, 1, 500)
    assert account.take(31, NOW) is None
    account.put_back(hold, 50, NOW)
    assert (account.free, account.held, account.running, account.left, account.charged) == (50, 0, 0, 450, 50)


@pytest.mark.parametrize("later", [60_000 - EXPIRY_MARGIN_MS, 90_000])
def test_memory_is_not_trusted_after_its_lease_or_window(later: int) -> None:
    account = _account(
        GRANT if later < 90_000 else Grant("granted", free=100, left=500, expires_ms=NOW + 200_000, window_end_ms=NOW + 90_000)
    )
    assert account.is_valid(NOW + later - 1)
    assert account.take(1, NOW + later) is None


def test_a_changed_key_is_asked_about_again() -> None:
    account = _account()
    account.stale = True
    assert account.take(1, NOW) is None


def test_a_free_request_needs_a_positive_balance_that_was_read_lately() -> None:
    account = _account(Grant("granted", free=0, left=1, expires_ms=NOW + 60_000))
    assert account.take(0, NOW) == Hold(account, 0)
    assert account.take(0, NOW + FREE_REQUEST_MS) is None
    account.left = 0
    assert account.take(0, NOW) is None


def test_a_key_whose_limit_was_removed_reserves_nothing() -> None:
    hold = _account(Grant("unlimited", expires_ms=NOW + 60_000)).take(10**18, NOW)
    assert hold == Hold()


def test_the_last_money_goes_to_one_request() -> None:
    account = _account()
    hold = account.take_last(NOW)
    assert (hold, account.free, account.last_running) == (Hold(account, 100, True), 0, True)
    assert account.take_last(NOW) is None
    assert hold is not None
    account.put_back(hold, 130, NOW)
    assert (account.free, account.last_running) == (-30, False)
    assert account.take_last(NOW) is None


def test_nothing_is_last_while_paid_requests_run_and_free_ones_do_not_matter() -> None:
    account = _account()
    assert account.take(0, NOW) is not None
    paid = account.take(1, NOW)
    assert paid is not None
    assert not account.ask(200).may_be_last
    assert account.take_last(NOW) is None
    account.put_back(paid, 0, NOW)
    assert account.ask(200).may_be_last
    assert account.take_last(NOW) is not None


def test_an_answer_keeps_what_happened_since_the_question() -> None:
    account = _account()
    hold = account.take(70, NOW)
    assert hold is not None
    ask, charged = account.ask(200), account.charged
    account.put_back(hold, 20, NOW)
    account.learn(ask, charged, Grant("granted", free=200, left=400, expires_ms=NOW + 60_000), NOW)
    assert (account.free, account.left) == (200 + 50, 400 - 20)


def test_a_refusal_stands_for_a_second_for_requests_as_large() -> None:
    account = _account()
    account.learn(account.ask(50), 0, Grant("refused", limit=500, left=40, expires_ms=NOW + 60_000), NOW)
    assert account.is_refused(50, NOW)
    assert account.is_refused(80, NOW + REFUSAL_MS - 1)
    assert not account.is_refused(49, NOW)
    assert not account.is_refused(50, NOW + REFUSAL_MS)
    account.stale = True
    assert not account.is_refused(50, NOW)


def test_money_that_comes_back_ends_a_refusal() -> None:
    account = _account()
    first, second = account.take(40, NOW), account.take(40, NOW)
    assert first is not None
    assert second is not None
    account.learn(account.ask(50), 0, Grant("refused", free=0, limit=500, left=500, expires_ms=NOW + 60_000), NOW)
    account.put_back(first, 20, NOW)
    assert account.is_refused(50, NOW)
    account.put_back(second, 0, NOW)
    assert not account.is_refused(50, NOW)


def test_the_refusal_tells_the_limit_and_when_it_resets() -> None:
    account = _account(Grant("refused", limit=PICO_PER_USD // 20, left=-5, reset="daily", expires_ms=NOW + 60_000))
    error = account.refusal(NOW)
    assert (error.status, error.error_type) == (402, "payment_required")
    assert error.message == "Key limit exceeded: this key has spent its daily limit of $0.05. The limit resets at 2023-11-15T00:00:00Z."
    assert error.metadata == {
        "limit_source": "key",
        "limit": 0.05,
        "limit_remaining": 0.0,
        "limit_reset": "daily",
        "resets_at": "2023-11-15T00:00:00Z",
    }


def test_a_refusal_because_of_running_requests_says_so() -> None:
    error = _account(Grant("refused", limit=500, left=PICO_PER_USD, expires_ms=NOW + 60_000)).refusal(NOW)
    assert "reserved by requests that are running" in error.message
    assert error.headers == (("Retry-After", "1"),)
    final = _account(Grant("refused", limit=500, left=0, expires_ms=NOW + 60_000)).refusal(NOW)
    assert "does not reset by itself" in final.message
    assert final.headers == ()
