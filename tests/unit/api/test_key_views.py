"""Keys on the wire: every field that the SDKs demand, money as USD, times as UTC."""

import pytest
from openrouter.operations import CreateKeysData, GetCurrentKeyData, ListData

from trunkline.accounts.keys import ApiKey
from trunkline.accounts.keys_store import KeyRecord
from trunkline.accounts.ledger_store import KeySpending, Spending
from trunkline.api.key_views import key_view, own_key_view

pytestmark = pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")
"""The SDK warns of the deprecated `rate_limit` that it demands."""

USD = 10**12
SPENDING = KeySpending(Spending(50 * USD, 2 * USD, 10 * USD, 25_500_000_000_000), Spending(7 * USD, 1 * USD, 3 * USD, 5 * USD))


def key(**changes: object) -> ApiKey:
    fields = {
        "hash": "f0" * 32,
        "name": "Production",
        "label": "sk-or-v1-0e6...1c96",
        "kind": "inference",
        "workspace_id": "0190a5c0-7e57-7000-8000-000000000001",
        "created_ms": 1_756_031_400_000,
        "spend_limit": 100 * USD,
        "limit_reset": "monthly",
    }
    return ApiKey(KeyRecord(**{**fields, **changes}), SPENDING, 74_500_000_000_000)  # type: ignore[arg-type]


def test_the_sample_of_the_contract() -> None:
    view = key_view(key())
    assert (view["limit"], view["usage_monthly"], view["limit_remaining"]) == (100.0, 25.5, 74.5)
    assert (view["usage"], view["usage_daily"], view["usage_weekly"]) == (50.0, 2.0, 10.0)
    assert (view["byok_usage"], view["byok_usage_daily"], view["byok_usage_weekly"], view["byok_usage_monthly"]) == (7.0, 1.0, 3.0, 5.0)
    assert view["created_at"] == "2025-08-24T10:30:00.000Z"
    assert view["updated_at"] is None and view["expires_at"] is None


def test_managers_see_what_the_sdks_demand() -> None:
    view = key_view(key(expires_ms=1_830_297_599_000, updated_ms=1_756_031_400_500, last_used_ms=1_756_031_400_000))
    ListData.model_validate(view)
    CreateKeysData.model_validate(view)
    assert view["expires_at"] == "2027-12-31T23:59:59.000Z"
    assert view["updated_at"] == "2025-08-24T10:30:00.500Z"


def test_holders_see_what_the_sdks_demand() -> None:
    view = own_key_view(key(), has_credits=False, now_ms=1_756_031_400_000)
    GetCurrentKeyData.model_validate(view)
    assert view["is_free_tier"] is True
    assert (view["is_management_key"], view["is_provisioning_key"]) == (False, False)
    assert "hash" not in view and "name" not in view


def test_the_limit_is_the_budget_that_blocks_first() -> None:
    view = own_key_view(key(include_byok_in_limit=True), has_credits=True, now_ms=1_756_031_400_000)
    assert view["effective_budget"] == {
        "scope": "key_limit",
        "budget_id": None,
        "guardrail_id": None,
        "include_byok": True,
        "limit_usd": 100.0,
        "spend_usd": 30.5,
        "remaining_usd": 69.5,
        "reset_interval": "monthly",
        "resets_at": "2025-09-01T00:00:00Z",
    }
    assert view["budgets"] == [view["effective_budget"]]


def test_without_limit_there_is_no_budget_and_nothing_remains_to_count() -> None:
    view = own_key_view(
        ApiKey(key(spend_limit=None, limit_reset=None, kind="management").record, KeySpending(), None), has_credits=True, now_ms=0
    )
    GetCurrentKeyData.model_validate(view)
    assert (view["limit"], view["limit_remaining"], view["budgets"], view["effective_budget"]) == (None, None, [], None)
    assert view["is_management_key"] is True and view["is_free_tier"] is False


def test_a_limit_that_never_resets_counts_all_spending() -> None:
    budget = own_key_view(key(limit_reset=None), has_credits=True, now_ms=0)["effective_budget"]
    assert isinstance(budget, dict)
    assert (budget["spend_usd"], budget["reset_interval"], budget["resets_at"]) == (50.0, None, None)
