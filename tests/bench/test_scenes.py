import tomllib

from bench.scenes import SCENES, Sample, config, judge, request
from msgspec import structs

from trunkline.mock.faults import of_model

FLAT = [Sample(minutes=m, calls=m * 10, wrong=0, rss_mb=90, files=50, p50_ms=1.0, p99_ms=2.0, data_mb=m) for m in range(16)]


def test_every_scene_has_a_model_and_its_fault_exists() -> None:
    script = tomllib.loads(config("http://127.0.0.1:1/v1"))
    assert [model["id"] for model in script["models"]] == [f"soak/{scene.name}" for scene in SCENES]
    assert len(script["endpoints"]) == len(SCENES) + sum(scene.spare for scene in SCENES)
    assert all((of_model(scene.upstream) is None) == (scene.upstream == "echo-1") for scene in SCENES)


def test_requests_differ() -> None:
    assert request(SCENES[0], "k", 1) != request(SCENES[0], "k", 2)


def test_flat_figures_are_flat() -> None:
    assert judge(FLAT) == {"memory": True, "open files": True, "latency": True, "answers": True}


def test_what_grows_is_seen() -> None:
    growing = [structs.replace(s, rss_mb=90 + s.minutes * 2, files=50 + 3 * int(s.minutes), p50_ms=1 + s.minutes, wrong=1) for s in FLAT]
    assert judge(growing) == {"memory": False, "open files": False, "latency": False, "answers": False}


def test_a_short_run_is_not_judged() -> None:
    assert judge(FLAT[:7]) == {}
