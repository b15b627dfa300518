import json
import tomllib

import pytest
from bench.junction import OBJECT, ROADS
from bench.scenes import ROUTED, SCENES, SINGLE, Sample, Scene, config, judge, outcome, request
from msgspec import structs

from trunkline.mock.faults import of_model

FLAT = [Sample(minutes=m, calls=m * 10, wrong=0, rss_mb=90, files=50, tasks=9, p50_ms=1.0, p99_ms=2.0, data_mb=m) for m in range(16)]
BY_NAME = {scene.name: scene for scene in SCENES}
PLAIN, DROP, DRAWN, TOOLS, HEALED = [BY_NAME[name] for name in ("plain", "drop", "drawn stream", "tools", "healed")]


def chunk(text: str, finish: str | None = None, **more: object) -> str:
    return "data: " + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": finish}], **more}) + "\n\n"


def whole(text: str) -> bytes:
    return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()


def broken(text: str) -> bytes:
    return (chunk(text) + chunk("", "error", error={"message": "it broke off"}) + "data: [DONE]\n\n").encode()


def test_every_scene_of_one_endpoint_has_a_model_and_its_fault_exists() -> None:
    script = tomllib.loads(config("http://127.0.0.1:1/v1", {road.name: "http://127.0.0.1:2/v1" for road in ROADS}))
    models = [model["id"] for model in script["models"]]
    assert models == [f"soak/{scene.name}" for scene in SINGLE] + ["road/six", "road/four"]
    assert len(script["endpoints"]) == len(SINGLE) + sum(scene.spare for scene in SINGLE) + 6 + 4
    assert all((of_model(scene.upstream) is None) == (scene.upstream == "echo-1") for scene in SINGLE)
    asked = {scene.model.partition(":")[0] for scene in ROUTED}
    assert asked <= {*models, "openrouter/auto"}


def test_all_skins_ask_the_router_streamed_and_whole() -> None:
    assert {(scene.skin, scene.stream) for scene in ROUTED} == {(skin, way) for skin in ("chat", "messages", "responses") for way in (0, 1)}


def test_requests_differ() -> None:
    assert request(PLAIN, "k", 1) != request(PLAIN, "k", 2)


def test_conversations_and_questions_come_again() -> None:
    kept, talk = BY_NAME["kept"], BY_NAME["talk"]
    assert request(kept, "k", 3) == request(kept, "k", 3 + kept.repeats)
    assert b"X-OpenRouter-Cache: true" in request(kept, "k", 3)
    body = json.loads(request(talk, "k", 3).partition(b"\r\n\r\n")[2])
    assert body["session_id"] == json.loads(request(talk, "k", 3 + talk.sessions).partition(b"\r\n\r\n")[2])["session_id"]


@pytest.mark.parametrize(
    ("scene", "status", "body", "kind"),
    [
        (PLAIN, 200, whole(PLAIN.question(7)), "whole"),
        (PLAIN, 200, whole(PLAIN.question(8)), "wrong"),
        (PLAIN, 200, b"{}", "wrong"),
        (PLAIN, 502, b'{"error": {"message": "no"}}', "wrong"),
        (DROP, 502, b'{"error": {"message": "no"}}', "refused"),
        (DROP, 502, b"<html>", "wrong"),
        (DROP, 200, broken(DROP.question(7)[:9]), "cut"),
        (DROP, 200, broken(""), "refused"),
        (DROP, 200, broken("something else"), "wrong"),
        (DROP, 200, (chunk(DROP.question(7)) + "data: [DONE]\n\n").encode(), "wrong"),
        (DROP, 200, chunk(DROP.question(7), "stop").encode(), "wrong"),
        (DRAWN, 200, broken(DRAWN.question(7)[:9]), "cut"),
        (DRAWN, 200, broken(""), "wrong"),
        (DRAWN, 503, b'{"error": {"message": "no"}}', "wrong"),
        (HEALED, 200, whole(json.dumps(OBJECT)), "whole"),
        (HEALED, 200, whole("```json\n{}\n```"), "wrong"),
    ],
)
def test_what_comes_of_a_call(scene: Scene, status: int, body: bytes, kind: str) -> None:
    assert outcome(scene, 7, status, body).kind == kind


def test_flat_figures_are_flat() -> None:
    assert judge(FLAT) == {"memory": True, "open files": True, "tasks": True, "latency": True, "answers": True}


def test_what_grows_is_seen() -> None:
    growing = [
        structs.replace(
            s, rss_mb=90 + s.minutes * 2, files=50 + 3 * int(s.minutes), tasks=9 + 3 * int(s.minutes), p50_ms=1 + s.minutes, wrong=1
        )
        for s in FLAT
    ]
    assert judge(growing) == {"memory": False, "open files": False, "tasks": False, "latency": False, "answers": False}


def test_a_short_run_is_not_judged() -> None:
    assert judge(FLAT[:7]) == {}
