"""`GET /generation`: one's own records, and nothing about anybody else's."""

from typing import Any

import pytest
from openrouter.components import GenerationResponse

from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import generation_text, key_hash, uuid7

ID = uuid7(1_700_000_000_000, bytes(10))


def record(key: str) -> GenerationRecord:
    return GenerationRecord(
        id=ID,
        created_ms=1_700_000_000_000,
        key_hash=key_hash(key),
        workspace_id="w",
        model="acme/echo-1",
        endpoint_id="e",
        provider_name="Acme",
        api_type="completions",
        cost=1_500_000_000,
        input_tokens=10,
        output_tokens=25,
    )


def test_the_key_that_made_it_reads_it(api: Any) -> None:
    api.generations.records[ID] = record(api.inference_key)
    answer = api.call("GET", f"/api/v1/generation?id={generation_text(ID)}", key=api.inference_key)
    assert answer.status_code == 200
    GenerationResponse.model_validate(answer.json())
    data = answer.json()["data"]
    assert (data["id"], data["total_cost"], data["tokens_completion"]) == (generation_text(ID), 0.0015, 25)


def test_a_foreign_generation_looks_like_an_unknown_one(api: Any) -> None:
    path = f"/api/v1/generation?id={generation_text(ID)}"
    unknown = api.call("GET", path, key=api.inference_key)
    api.generations.records[ID] = record("sk-or-v1-" + "c3" * 32)
    foreign = api.call("GET", path, key=api.inference_key)
    assert unknown.status_code == foreign.status_code == 404
    assert unknown.json() == foreign.json()


@pytest.mark.parametrize("id", ["gen-1-x", "chatcmpl-1", "gen-1700000000-" + "z" * 22, "%00", "é" * 300])
def test_what_is_no_id_is_unknown(shared: Any, id: str) -> None:
    assert shared.call("GET", "/api/v1/generation?id=" + id, key=shared.inference_key).status_code == 404


@pytest.mark.parametrize("query", ["", "?id=", "?generation=x"])
def test_the_id_is_required(shared: Any, query: str) -> None:
    answer = shared.call("GET", "/api/v1/generation" + query, key=shared.inference_key)
    assert answer.status_code == 400
    assert "id" in answer.json()["error"]["message"]


def test_a_management_key_is_no_inference_key(shared: Any) -> None:
    assert shared.manage("GET", f"/api/v1/generation?id={generation_text(ID)}").status_code == 403
