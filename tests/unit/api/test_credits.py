"""`/credits`: the ledger's totals, and the purchase that is gone."""

from typing import Any

from openrouter.operations import GetCreditsResponse


def test_totals_come_from_the_ledger(api: Any) -> None:
    api.grant(100_500_000_000_000)
    answer = api.manage("GET", "/api/v1/credits")
    assert answer.status_code == 200
    assert answer.json() == {"data": {"total_credits": 100.5, "total_usage": 0.0}}
    GetCreditsResponse.model_validate(answer.json())


def test_only_management_keys_see_them(shared: Any) -> None:
    answer = shared.call("GET", "/api/v1/credits", key=shared.inference_key)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "Only management keys can perform this operation"


def test_coinbase_is_gone_whoever_asks(shared: Any) -> None:
    for key in (None, shared.inference_key, shared.management_key, "nonsense"):
        answer = shared.call("POST", "/api/v1/credits/coinbase", key=key, body={"amount": 10})
        assert answer.status_code == 410
        assert answer.json()["error"]["code"] == 410
        assert "Coinbase" in answer.json()["error"]["message"]
