"""The table of operations is complete, consistent, and found by path."""

import pytest

from trunkline.api import routes
from trunkline.api.routes import EXTENSIONS, OPERATIONS, TABLE, Operation
from trunkline.inference.operations import OPERATIONS as OPERATIONS_BESIDE_CHAT
from trunkline.inference.route_reports import PATH as ROUTE_PATH
from trunkline.inference.skins import SKINS
from trunkline.inference.token_counts import PATH as COUNT_PATH

LIVE = {
    "POST /api/v1/chat/completions",
    "POST /api/v1/completions",
    "GET /api/v1/models",
    "GET /api/v1/models/count",
    "GET /api/v1/models/user",
    "GET /api/v1/model/{author}/{slug}",
    "GET /api/v1/models/{author}/{slug}/endpoints",
    "GET /api/v1/providers",
    "GET /api/v1/endpoints/zdr",
    "GET /api/v1/key",
    "GET /api/v1/keys",
    "POST /api/v1/keys",
    "GET /api/v1/keys/{hash}",
    "PATCH /api/v1/keys/{hash}",
    "DELETE /api/v1/keys/{hash}",
    "GET /api/v1/credits",
    "GET /api/v1/generation",
    "POST /api/v1/credits/coinbase",
    "POST /api/v1/cursor",
    "POST /api/v1/cursor/chat/completions",
    "POST /api/v1/messages",
    "POST /api/v1/messages/count_tokens",
    "POST /api/v1/responses",
    "POST /api/v1/audio/speech",
    "POST /api/v1/audio/transcriptions",
    "POST /api/v1/embeddings",
    "GET /api/v1/embeddings/models",
    "POST /api/v1/images",
    "GET /api/v1/images/models",
    "GET /api/v1/images/models/{author}/{slug}/endpoints",
    "POST /api/v1/rerank",
    "POST /api/v1/route",
    "GET /health",
}


def test_live_operations_are_those_of_this_release() -> None:
    assert {f"{operation.method} {operation.path}" for operation in TABLE if operation.state == "live"} == LIVE


def test_there_are_97_operations_each_once() -> None:
    assert len(OPERATIONS) == 97
    assert len({(operation.method, operation.path) for operation in TABLE}) == 97 + len(EXTENSIONS)


def test_as_many_management_operations_as_the_contract_marks() -> None:
    assert sum(operation.auth == "management" for operation in OPERATIONS) == 52


@pytest.mark.parametrize("operation", TABLE, ids=lambda operation: f"{operation.method} {operation.path}")
def test_every_operation_is_found_at_a_path_of_its_template(operation: Operation) -> None:
    path = "/".join("x" if segment.startswith("{") else segment for segment in operation.path.split("/"))
    assert routes.match(path)[operation.method] is operation


def test_a_literal_segment_wins_over_a_parameter() -> None:
    assert routes.match("/api/v1/videos/models")["GET"].path == "/api/v1/videos/models"
    assert routes.match("/api/v1/videos/job-1")["GET"].path == "/api/v1/videos/{jobId}"


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/keys/", "/api/v1/model/acme/", "/api/v1/model//echo", "/api/v1/none", "", "/"])
def test_parameters_are_never_empty_and_unknown_paths_match_nothing(path: str) -> None:
    assert "{" not in "".join(operation.path for operation in routes.match(path).values())


def test_pages_of_other_origins_reach_inference_and_catalogue_but_no_management() -> None:
    open_paths = {operation.path for operation in TABLE if operation.browsers}
    assert {"/api/v1/chat/completions", "/api/v1/completions", "/api/v1/models", "/api/v1/key", "/api/v1/auth/keys"} <= open_paths
    assert not any(operation.browsers for operation in TABLE if operation.auth == "management")
    assert "/api/v1/keys" not in open_paths and "/api/v1/credits" not in open_paths


def test_only_live_inference_is_served_raw() -> None:
    assert {operation.path for operation in TABLE if operation.raw} == {*SKINS, *OPERATIONS_BESIDE_CHAT, COUNT_PATH, ROUTE_PATH}


def test_allow_names_the_methods_of_a_path() -> None:
    assert routes.allowed("/api/v1/keys") == "GET, HEAD, POST, OPTIONS"
    assert routes.allowed("/api/v1/chat/completions") == "POST, OPTIONS"
    assert routes.allowed("/api/v1/unknown") == ""
