"""The frame around every operation: who may call, what is read, and what browsers are told."""

import logging
from typing import Any

import pytest

from trunkline.api.bodies import MAX_BYTES
from trunkline.api.routes import TABLE, Operation

MOUNTED = [operation for operation in TABLE if not operation.raw]
PLANNED = [operation for operation in MOUNTED if operation.state == "planned"]
KEYS = "/api/v1/keys"


def path_of(operation: Operation) -> str:
    return "/".join("x" if segment.startswith("{") else segment for segment in operation.path.split("/"))


def name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def key_for(api: Any, operation: Operation) -> str | None:
    return {"key": api.inference_key, "any": api.inference_key, "management": api.management_key}.get(operation.auth)


def is_envelope(answer: Any, status: int) -> bool:
    error = answer.json()["error"]
    return answer.status_code == status == error["code"] and bool(error["message"]) and answer.headers["content-type"] == "application/json"


def test_every_operation_that_takes_a_key_answers_401_without(shared: Any) -> None:
    for operation in MOUNTED:
        if operation.auth in ("key", "management", "any"):
            for headers in ({}, {"authorization": "Bearer sk-or-v1-" + "0" * 64}, {"authorization": "Basic eDp5"}):
                answer = shared.call(operation.method, path_of(operation), headers=headers)
                assert is_envelope(answer, 401), (name(operation), answer.text)


def test_every_operation_refuses_the_wrong_kind_of_key(shared: Any) -> None:
    for operation in MOUNTED:
        wrong = {"key": shared.management_key, "management": shared.inference_key}.get(operation.auth)
        if wrong is not None:
            answer = shared.call(operation.method, path_of(operation), key=wrong)
            assert is_envelope(answer, 403), (name(operation), answer.text)


def test_planned_operations_say_so_after_authentication(shared: Any) -> None:
    assert PLANNED
    for operation in PLANNED:
        answer = shared.call(operation.method, path_of(operation), key=key_for(shared, operation))
        assert is_envelope(answer, 501), (name(operation), answer.text)
        assert name(operation) in answer.json()["error"]["message"]


def test_management_is_out_of_reach_from_elsewhere_even_with_its_key(shared: Any) -> None:
    for operation in MOUNTED:
        if operation.auth == "management":
            answer = shared.call(operation.method, path_of(operation), key=shared.management_key, peer="10.0.0.9")
            assert is_envelope(answer, 403), name(operation)
            assert "TRUNKLINE_PUBLIC_URL" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "request_",
    [
        {"host": "attacker.example"},
        {"host": "localhost.attacker.example:8787"},
        {"headers": {"x-forwarded-for": "127.0.0.1"}},
        {"headers": {"forwarded": "for=127.0.0.1;host=localhost"}},
        {"headers": {"via": "1.1 vegur"}},
        {"headers": {"x-forwarded-host": "localhost"}, "host": "attacker.example"},
    ],
)
def test_host_header_attacks_meet_the_lock(shared: Any, request_: dict[str, Any]) -> None:
    arguments = {"key": shared.management_key, **request_}
    assert is_envelope(shared.call("GET", KEYS, **arguments), 403)
    assert shared.call("GET", "/api/v1/models", **request_).status_code == 200


def test_keys_of_inference_work_from_everywhere(shared: Any) -> None:
    assert shared.call("GET", "/api/v1/key", key=shared.inference_key, peer="203.0.113.9", host="gw.example").status_code == 200


def test_public_operations_ignore_a_key_they_do_not_know(shared: Any) -> None:
    for authorization in ("Bearer nonsense", "Basic eDp5", ""):
        assert shared.call("GET", "/api/v1/models", headers={"authorization": authorization}).status_code == 200


def test_unknown_paths_and_methods_answer_in_json(shared: Any) -> None:
    assert is_envelope(shared.call("GET", "/api/v1/unknown"), 404)
    assert is_envelope(shared.call("GET", "/api/v2/models"), 404)
    refused = shared.call("PUT", KEYS, key=shared.management_key)
    assert is_envelope(refused, 405)
    assert refused.headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_reading_an_inference_route_is_a_405(shared: Any) -> None:
    refused = shared.call("GET", "/api/v1/chat/completions")
    assert is_envelope(refused, 405)
    assert refused.headers["allow"] == "POST, OPTIONS"
    assert refused.headers["access-control-allow-origin"] == "*"


def test_options_lists_what_a_path_takes(shared: Any) -> None:
    assert shared.call("OPTIONS", KEYS).headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert shared.call("OPTIONS", KEYS + "/x").headers["allow"] == "DELETE, GET, HEAD, PATCH, OPTIONS"


def test_get_operations_answer_head(shared: Any) -> None:
    assert shared.call("HEAD", "/api/v1/models").status_code == 200
    assert shared.call("HEAD", "/health").status_code == 200


def test_a_body_beyond_the_limit_is_413(shared: Any) -> None:
    body = b'{"name": "' + b"x" * MAX_BYTES + b'"}'
    answer = shared.call("POST", KEYS, key=shared.management_key, content=body)
    assert is_envelope(answer, 413)
    assert "64 KB" in answer.json()["error"]["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 60_000, b'{"name": NaN}', b'{"name": "x"}}', b'{"name": "\\ud800"}'])
def test_a_body_that_is_no_json_object_is_400(shared: Any, content: bytes) -> None:
    assert is_envelope(shared.call("POST", KEYS, key=shared.management_key, content=content), 400)


def test_browsers_may_call_open_operations_from_any_origin(shared: Any) -> None:
    origin = {"origin": "https://app.example"}
    for operation in MOUNTED:
        if operation.browsers:
            asked = {**origin, "access-control-request-method": operation.method, "access-control-request-headers": "authorization"}
            preflight = shared.call("OPTIONS", path_of(operation), headers=asked)
            assert (preflight.status_code, preflight.content) == (204, b""), name(operation)
            assert preflight.headers["access-control-allow-origin"] == "*"
            assert preflight.headers["access-control-allow-headers"] == "authorization"
            assert operation.method in preflight.headers["access-control-allow-methods"]
            answer = shared.call(operation.method, path_of(operation), headers=origin)
            assert answer.headers["access-control-allow-origin"] == "*", (name(operation), answer.status_code)
            assert "access-control-allow-credentials" not in answer.headers


def test_pages_of_other_origins_learn_nothing_of_management(shared: Any) -> None:
    for operation in MOUNTED:
        if not operation.browsers:
            for method in (operation.method, "OPTIONS"):
                answer = shared.call(method, path_of(operation), headers={"origin": "https://app.example"}, key=key_for(shared, operation))
                assert not [header for header in answer.headers if header.startswith("access-control-")], name(operation)


def test_a_query_of_too_many_fields_is_refused(shared: Any) -> None:
    assert is_envelope(shared.call("GET", "/api/v1/models?" + "&".join(f"a{number}=1" for number in range(101))), 400)


def test_a_client_that_leaves_inside_its_body_is_no_error_of_ours(shared: Any, caplog: pytest.LogCaptureFixture) -> None:
    messages = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    sent = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": KEYS,
        "raw_path": KEYS.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8787"), (b"authorization", b"Bearer " + shared.management_key.encode())],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8787),
        "scheme": "http",
        "http_version": "1.1",
    }

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    with caplog.at_level(logging.ERROR):
        shared.runner.run(shared.app(scope, receive, send))
    assert sent[0]["status"] == 408
    assert not caplog.records
