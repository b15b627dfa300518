"""`/key` and `/keys` over a real database."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter import OpenRouter
from openrouter.errors import NotFoundResponseError, UnauthorizedResponseError
from openrouter.operations import CreateKeysResponse, GetCurrentKeyResponse, GetKeyResponse, ListResponse, UpdateKeysResponse

from trunkline.accounts.keys import DEFAULT_WORKSPACE_ID
from trunkline.protocol.identity import is_api_key, key_hash

pytestmark = pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")
"""The SDK warns of the deprecated `rate_limit` that it demands."""

KEYS = "/api/v1/keys"


def make(api: Any, **body: object) -> dict[str, Any]:
    answer = api.manage("POST", KEYS, {"name": "made", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_created_keys_work_and_their_secret_is_shown_once(shared: Any) -> None:
    made = make(
        shared, limit=50, limit_reset="monthly", include_byok_in_limit=True, expires_at="2099-12-31T23:59:59Z", creator_user_id="user_1"
    )
    CreateKeysResponse.model_validate(made)
    assert is_api_key(made["key"])
    data = made["data"]
    assert data["hash"] == key_hash(made["key"])
    assert (data["limit"], data["limit_remaining"], data["limit_reset"], data["usage"]) == (50.0, 50.0, "monthly", 0.0)
    assert (data["expires_at"], data["creator_user_id"], data["updated_at"]) == ("2099-12-31T23:59:59.000Z", "user_1", None)
    assert shared.call("GET", "/api/v1/key", key=made["key"]).status_code == 200
    read = shared.manage("GET", f"{KEYS}/{data['hash']}")
    GetKeyResponse.model_validate(read.json())
    assert made["key"] not in read.text
    assert made["key"] not in shared.manage("GET", KEYS).text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x", "limit": -0.01}, "limit"),
        ({"name": "x", "limit": 1e300}, "limit"),
        ({"name": "x", "limit": "5"}, "limit"),
        ({"name": "x", "limit": True}, "limit"),
        ({"name": "x", "limit_reset": "hourly"}, "limit_reset"),
        ({"name": "x", "limit_reset": ""}, "limit_reset"),
        ({"name": "x", "include_byok_in_limit": None}, "include_byok_in_limit"),
        ({"name": "x", "include_byok_in_limit": "yes"}, "include_byok_in_limit"),
        ({"name": "x", "expires_at": "2099-12-31T23:59:59+01:00"}, "expires_at"),
        ({"name": "x", "expires_at": "2099-12-31T23:59:59"}, "expires_at"),
        ({"name": "x", "expires_at": "2099-12-31"}, "expires_at"),
        ({"name": "x", "expires_at": "2099-02-30T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "2099-12-31T25:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "٢٠٩٩-12-31T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": 1893456000}, "expires_at"),
        ({"name": "x", "expires_at": "soon"}, "expires_at"),
        ({"name": "x", "creator_user_id": ""}, "creator_user_id"),
        ({"name": "x", "workspace_id": "default"}, "workspace_id"),
        ({"name": "x", "workspace_id": "0df9e665-d932-5740-b2c7-b52af166bc11"}, "workspace_id"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(shared: Any, body: dict[str, object], field: str) -> None:
    answer = shared.manage("POST", KEYS, body)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == 400
    assert field in error["message"]
    assert error["metadata"]["error_type"] == "invalid_request"


@pytest.mark.parametrize(
    "expires_at", ["2099-12-31T23:59Z", "2099-12-31T23:59:59.123456Z", "2099-12-31T23:59:59+00:00", "2099-12-31t23:59:59z", None]
)
def test_times_in_utc_are_taken_in_all_their_forms(shared: Any, expires_at: str | None) -> None:
    assert (make(shared, expires_at=expires_at)["data"]["expires_at"] is None) == (expires_at is None)


def test_limits_are_kept_exactly(shared: Any) -> None:
    assert make(shared, limit=0)["data"]["limit"] == 0.0
    assert make(shared, limit=0.000001)["data"]["limit"] == 0.000001
    assert make(shared, limit=1234567.89)["data"]["limit_remaining"] == 1234567.89


def test_fields_of_a_later_contract_are_tolerated(shared: Any) -> None:
    make(shared, external={"user": "u"}, later=[1, 2], workspace_id=DEFAULT_WORKSPACE_ID.upper())


def test_the_list_is_newest_first_and_pages(api: Any) -> None:
    for number in range(3):
        make(api, name=f"key {number}")
    answer = api.manage("GET", KEYS)
    ListResponse.model_validate(answer.json())
    names = [row["name"] for row in answer.json()["data"]]
    assert names[:3] == ["key 2", "key 1", "key 0"]
    assert [row["name"] for row in api.manage("GET", f"{KEYS}?offset=2").json()["data"]] == names[2:]
    assert api.manage("GET", f"{KEYS}?offset=").json()["data"] == answer.json()["data"]
    assert api.manage("GET", f"{KEYS}?offset=100000").json() == {"data": []}


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "offset=1.5", "include_disabled=perhaps"])
def test_query_fields_that_cannot_be_used_are_named(shared: Any, query: str) -> None:
    answer = shared.manage("GET", f"{KEYS}?{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["error"]["message"]


def test_other_workspaces_have_no_keys(shared: Any) -> None:
    assert shared.manage("GET", f"{KEYS}?workspace_id=0df9e665-d932-5740-b2c7-b52af166bc11").json() == {"data": []}


def test_changes_touch_only_what_they_name(shared: Any) -> None:
    made = make(shared, limit=5, limit_reset="daily")["data"]
    answer = shared.manage("PATCH", f"{KEYS}/{made['hash']}", {"name": "renamed"})
    UpdateKeysResponse.model_validate(answer.json())
    changed = answer.json()["data"]
    assert changed["updated_at"] is not None
    assert {**changed, "updated_at": None} == {**made, "name": "renamed"}
    lifted = shared.manage("PATCH", f"{KEYS}/{made['hash']}", {"limit": None, "limit_reset": None, "include_byok_in_limit": True}).json()[
        "data"
    ]
    assert (lifted["limit"], lifted["limit_remaining"], lifted["limit_reset"], lifted["include_byok_in_limit"]) == (None, None, None, True)


def test_a_disabled_key_leaves_the_list_and_is_refused_at_once(shared: Any) -> None:
    made = make(shared)
    assert shared.call("GET", "/api/v1/key", key=made["key"]).status_code == 200
    assert shared.manage("PATCH", f"{KEYS}/{made['data']['hash']}", {"disabled": True}).json()["data"]["disabled"] is True
    assert shared.call("GET", "/api/v1/key", key=made["key"]).status_code == 401
    assert made["data"]["hash"] not in shared.manage("GET", KEYS).text
    assert made["data"]["hash"] in shared.manage("GET", f"{KEYS}?include_disabled=true").text
    shared.manage("PATCH", f"{KEYS}/{made['data']['hash']}", {"disabled": False})
    assert shared.call("GET", "/api/v1/key", key=made["key"]).status_code == 200


def test_a_deleted_key_is_gone_for_good(shared: Any) -> None:
    made = make(shared)
    path = f"{KEYS}/{made['data']['hash']}"
    assert shared.call("GET", "/api/v1/key", key=made["key"]).status_code == 200
    assert shared.manage("DELETE", path).json() == {"deleted": True}
    assert shared.call("GET", "/api/v1/key", key=made["key"]).status_code == 401
    for method in ("GET", "PATCH", "DELETE"):
        assert shared.manage(method, path, {} if method == "PATCH" else None).status_code == 404


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"disabled": None}, {"limit": -1}, {"limit_reset": "yearly"}, {"include_byok_in_limit": None}]
)
def test_changes_are_checked_like_new_keys(shared: Any, body: dict[str, object]) -> None:
    answer = shared.manage("PATCH", f"{KEYS}/{key_hash(shared.inference_key)}", body)
    assert answer.status_code == 400
    assert next(iter(body)) in answer.json()["error"]["message"]


@pytest.mark.parametrize("wanted", ["0" * 64, "x", "%27%20OR%201=1", "%00", "é"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_hash_is_404(shared: Any, method: str, wanted: str) -> None:
    answer = shared.manage(method, f"{KEYS}/{wanted}", {"name": "x"} if method == "PATCH" else None)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == 404


def test_a_key_reads_itself(api: Any) -> None:
    answer = api.call("GET", "/api/v1/key", key=api.inference_key)
    GetCurrentKeyResponse.model_validate(answer.json())
    data = answer.json()["data"]
    assert (data["is_free_tier"], data["is_management_key"], data["limit"]) == (True, False, None)
    api.grant(10**12)
    assert api.call("GET", "/api/v1/key", key=api.inference_key).json()["data"]["is_free_tier"] is False


def test_a_management_key_reads_itself_too(shared: Any) -> None:
    data = shared.manage("GET", "/api/v1/key").json()["data"]
    assert (data["is_management_key"], data["is_provisioning_key"]) == (True, True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3)
)
FIELDS = st.sampled_from(
    ["name", "limit", "limit_reset", "include_byok_in_limit", "expires_at", "creator_user_id", "workspace_id", "other"]
)


@settings(max_examples=80, deadline=None)
@given(body=st.dictionaries(FIELDS, JSON, max_size=8))
def test_no_body_is_a_500(shared: Any, body: dict[str, object]) -> None:
    content = json.dumps({"name": "x", **body}).encode("utf-8", "surrogatepass")
    made = shared.call("POST", KEYS, key=shared.management_key, content=content)
    assert made.status_code in (201, 400), (made.text, body)
    changed = shared.call("PATCH", f"{KEYS}/{key_hash(shared.inference_key)}", key=shared.management_key, content=content)
    assert changed.status_code in (200, 400), (changed.text, body)
    restored = {"name": "inference", "limit": None, "limit_reset": None, "include_byok_in_limit": False, "disabled": False}
    assert shared.manage("PATCH", f"{KEYS}/{key_hash(shared.inference_key)}", restored).status_code == 200


def test_the_sdk_manages_keys(api: Any) -> None:
    async def manage() -> None:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport) as client:
            sdk = OpenRouter(api_key=api.management_key, server_url="http://127.0.0.1:8787/api/v1", async_client=client)
            made = await sdk.api_keys.create_async(name="sdk", limit=2.5, limit_reset="weekly", expires_at=datetime(2099, 1, 1, tzinfo=UTC))
            assert (made.data.limit, made.data.limit_reset, made.data.expires_at) == (2.5, "weekly", datetime(2099, 1, 1, tzinfo=UTC))
            listed = await sdk.api_keys.list_async(include_disabled=True, offset=0)
            assert made.data.hash in {row.hash for row in listed.data}
            changed = await sdk.api_keys.update_async(hash=made.data.hash, disabled=True, limit=None)
            assert (changed.data.disabled, changed.data.limit) == (True, None)
            assert (await sdk.api_keys.delete_async(hash=made.data.hash)).DELETED is True
            with pytest.raises(NotFoundResponseError):
                await sdk.api_keys.get_async(hash=made.data.hash)
            with pytest.raises(UnauthorizedResponseError):
                await OpenRouter(
                    api_key=made.key, server_url="http://127.0.0.1:8787/api/v1", async_client=client
                ).api_keys.get_current_key_metadata_async()

    api.runner.run(manage())
