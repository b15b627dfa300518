"""The shapes of keys on the wire (contract 1.3, 1.4 and 11): money in USD, times as ISO 8601 in UTC, every field present."""

from datetime import UTC, datetime

from trunkline.accounts.keys import ApiKey
from trunkline.accounts.keys_store import KeyRecord
from trunkline.accounts.ledger_store import KeySpending
from trunkline.accounts.windows import next_reset
from trunkline.protocol.money import usd
from trunkline.protocol.regions import REGIONS

_UNCAPPED = 2**31 - 1
_REGIONS = ["global", *REGIONS.values()]
"""A key may be used under the name of any region; whether something serves there is another question."""
_RATE_LIMIT = {"requests": -1, "interval": "1h", "note": "This field is deprecated and safe to ignore."}
_FREE_MODEL_REQUESTS = {"limit": _UNCAPPED, "remaining": _UNCAPPED, "used": 0}
"""Requests to free models are not capped here; a client that looks whether some remain must go on."""


def key_view(key: ApiKey) -> dict[str, object]:
    """A key as its managers see it: the 22 required fields of the SDKs, and `expires_at`."""
    record = key.record
    return {
        "hash": record.hash,
        "name": record.name,
        "label": record.label,
        "disabled": record.disabled,
        "created_at": _iso(record.created_ms),
        "updated_at": _iso_or_none(record.updated_ms),
        "last_used_at": _iso_or_none(record.last_used_ms),
        "workspace_id": record.workspace_id,
        "external_user": None,
        **_money_view(key),
    }


def own_key_view(key: ApiKey, *, has_credits: bool, now_ms: int) -> dict[str, object]:
    """A key as its holder sees it at `now_ms`. `has_credits`: whether the account was ever granted credit."""
    record = key.record
    budgets = [] if record.spend_limit is None else [_budget_view(record, record.spend_limit, key.spending, now_ms)]
    is_management = record.kind == "management"
    return {
        "label": record.label,
        "is_free_tier": not has_credits,
        "is_management_key": is_management,
        "is_provisioning_key": is_management,
        "workspace_id": record.workspace_id,
        "organization_id": None,
        "allowed_data_regions": _REGIONS,
        "budgets": budgets,
        "effective_budget": budgets[0] if budgets else None,
        "free_model_daily_requests": _FREE_MODEL_REQUESTS,
        "rate_limit": _RATE_LIMIT,
        **_money_view(key),
    }


def _money_view(key: ApiKey) -> dict[str, object]:
    """What both views say of limits and spending."""
    record, own, byok = key.record, key.spending.own, key.spending.byok
    return {
        "limit": _usd_or_none(record.spend_limit),
        "limit_remaining": _usd_or_none(key.limit_remaining),
        "limit_reset": record.limit_reset,
        "include_byok_in_limit": record.include_byok_in_limit,
        "usage": usd(own.total),
        "usage_daily": usd(own.daily),
        "usage_weekly": usd(own.weekly),
        "usage_monthly": usd(own.monthly),
        "byok_usage": usd(byok.total),
        "byok_usage_daily": usd(byok.daily),
        "byok_usage_weekly": usd(byok.weekly),
        "byok_usage_monthly": usd(byok.monthly),
        "expires_at": _iso_or_none(record.expires_ms),
        "creator_user_id": record.creator_user_id,
    }


def _budget_view(record: KeyRecord, limit: int, spending: KeySpending, now_ms: int) -> dict[str, object]:
    """The key's own limit as a layer of budgets; the only layer there is until guardrails and workspaces have theirs."""
    window = record.limit_reset or "total"
    spent: int = getattr(spending.own, window) + (getattr(spending.byok, window) if record.include_byok_in_limit else 0)
    return {
        "scope": "key_limit",
        "budget_id": None,
        "guardrail_id": None,
        "include_byok": record.include_byok_in_limit,
        "limit_usd": usd(limit),
        "spend_usd": usd(spent),
        "remaining_usd": usd(limit - spent),
        "reset_interval": record.limit_reset,
        "resets_at": next_reset(record.limit_reset, now_ms),
    }


def _usd_or_none(pico: int | None) -> float | None:
    return None if pico is None else usd(pico)


def _iso_or_none(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else _iso(unix_ms)


def _iso(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
