"""The table of operations against OpenRouter's: all 97, each with its credential, each answering as the contract says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from trunkline.api.routes import OPERATIONS, TABLE, Operation

DOCUMENT = Path(__file__).parents[2].parent / "shared" / "openrouter" / "openapi.yaml"
PREFIX = "/api/v1"
METHODS = ("get", "put", "post", "delete", "patch")
CREDENTIALS = {"K": ("key", "any"), "M": ("management",), "P": ("public",), "-": ("none",)}

# Path, then methods with their credential: K = inference key, M = management key, P = public, - = none (contract, section 7).
EXPECTED = """
/chat/completions POST:K
/responses POST:K
/messages POST:K
/embeddings POST:K
/embeddings/models GET:P
/rerank POST:K
/audio/speech POST:K
/audio/transcriptions POST:K
/images POST:K
/images/models GET:P
/images/models/{author}/{slug}/endpoints GET:P
/videos POST:K
/videos/{jobId} GET:K
/videos/{jobId}/content GET:K
/videos/models GET:P
/models GET:P
/models/count GET:P
/models/user GET:K
/model/{author}/{slug} GET:P
/models/{author}/{slug}/endpoints GET:P
/endpoints/zdr GET:P
/providers GET:P
/generation GET:K
/generation/content GET:K
/generation/feedback POST:M
/key GET:K
/keys GET:M POST:M
/keys/{hash} GET:M PATCH:M DELETE:M
/auth/keys POST:-
/auth/keys/code POST:K
/credits GET:M
/credits/coinbase POST:-
/byok GET:M POST:M
/byok/{id} GET:M PATCH:M DELETE:M
/guardrails GET:M POST:M
/guardrails/{id} GET:M PATCH:M DELETE:M
/guardrails/assignments/keys GET:M
/guardrails/assignments/members GET:M
/guardrails/{id}/assignments/keys GET:M POST:M
/guardrails/{id}/assignments/keys/remove POST:M
/guardrails/{id}/assignments/members GET:M POST:M
/guardrails/{id}/assignments/members/remove POST:M
/workspaces GET:M POST:M
/workspaces/{id} GET:M PATCH:M DELETE:M
/workspaces/{id}/budgets GET:M
/workspaces/{id}/budgets/{interval} GET:M PUT:M DELETE:M
/workspaces/{id}/members GET:M
/workspaces/{id}/members/add POST:M
/workspaces/{id}/members/remove POST:M
/organization/members GET:M
/presets GET:K
/presets/{slug} GET:K
/presets/{slug}/versions GET:K
/presets/{slug}/versions/{version} GET:K
/presets/{slug}/chat/completions POST:K
/presets/{slug}/messages POST:K
/presets/{slug}/responses POST:K
/observability/destinations GET:M POST:M
/observability/destinations/{id} GET:M PATCH:M DELETE:M
/activity GET:M
/analytics/meta GET:M
/analytics/query POST:M
/files GET:K POST:K
/files/{file_id} GET:K DELETE:K
/files/{file_id}/content GET:K
/datasets/rankings-daily GET:K
/datasets/app-rankings GET:K
/datasets/session-cost GET:K
/benchmarks GET:K
/classifications/task GET:K
/scim/groups GET:M
/scim/group-mappings GET:M POST:M
/scim/group-mappings/{id} GET:M PATCH:M DELETE:M
"""


def expected() -> dict[tuple[str, str], str]:
    rows = {}
    for line in EXPECTED.split("\n"):
        path, *methods = line.split() or [""]
        rows.update({(method.split(":")[0], PREFIX + path): method.split(":")[1] for method in methods})
    return rows


def test_the_table_holds_exactly_the_operations_of_the_contract() -> None:
    assert {(operation.method, operation.path) for operation in OPERATIONS} == set(expected())
    assert len(expected()) == 97


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_each_operation_takes_the_credential_of_the_contract(operation: Operation) -> None:
    assert operation.auth in CREDENTIALS[expected()[operation.method, operation.path]]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    if not DOCUMENT.exists():
        pytest.skip("OpenRouter's OpenAPI document is not beside this repository")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with DOCUMENT.open(encoding="utf-8") as file:
        return yaml.load(file, loader)


def test_the_table_covers_the_document_path_by_path(document: dict[str, Any]) -> None:
    documented = {
        (method.upper(), PREFIX + path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }
    assert set(documented) == {(operation.method, operation.path) for operation in OPERATIONS}
    for operation in OPERATIONS:
        wanted = documented[operation.method, operation.path]
        assert operation.tag == wanted["tags"][0]
        assert operation.summary == wanted["summary"]
        assert ("401" in wanted["responses"]) == (operation.auth in ("key", "management", "any")), operation.path


def test_every_row_can_be_printed_as_reference() -> None:
    assert all(operation.summary and operation.tag and operation.path.startswith("/") for operation in TABLE)
