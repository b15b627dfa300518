"""`GET /providers`."""

from typing import Any

from openrouter.operations import ListProvidersResponse


def test_providers_are_listed_by_name_without_credentials(shared: Any) -> None:
    answer = shared.call("GET", "/api/v1/providers")
    assert answer.status_code == 200
    parsed = ListProvidersResponse.model_validate(answer.json())
    names = [provider.name for provider in parsed.data]
    assert names == sorted(names, key=str.casefold)
    assert {"Acme", "Zeta"} <= set(names)
    assert "literal-secret" not in answer.text and "127.0.0.1" not in answer.text


def test_what_no_source_says_is_null(shared: Any) -> None:
    acme = next(row for row in shared.call("GET", "/api/v1/providers").json()["data"] if row["slug"] == "acme")
    assert acme == {
        "name": "Acme",
        "slug": "acme",
        "privacy_policy_url": None,
        "terms_of_service_url": None,
        "status_page_url": None,
        "headquarters": None,
        "datacenters": None,
    }
