"""`openrouter/auto` ranks by what callers of this instance chose themselves, which a sample of their requests tells (contract 8.4)."""

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from clients import Answer, call, until
from gateway import Gateway
from town import alone, provider

from trunkline import settings as settings_room
from trunkline.analytics.rollup import write_batch
from trunkline.mock.script import Pace, Rule
from trunkline.mock.thread import MockServer
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.engines import open_storage

CHAT = "/api/v1/chat/completions"
TRANSLATE = "Translate this letter into French, please."
SOLVE = "Solve the equation 3x + 7 = 22 and show the steps."
TABLE = '[routers.auto]\n"general:math" = ["acme/small-1", "acme/big-1"]\n'


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer() as server:
        server.use(Rule(pace=Pace(head_ms=200)))
        yield server


def town(url: str, rules: str = "") -> str:
    prices = {"small-1": 1, "middle-1": 2, "big-1": 3}
    models = [
        alone(f"acme/{name}", name, pricing=f'{{ prompt = "{price}e-6", completion = "{price}e-6" }}') for name, price in prices.items()
    ]
    return "\n".join([rules, provider("acme", url), *models])


def spend(folder: Path, model: str, task: str, requests: int, *, router: str | None = None) -> None:
    """Have generations of an earlier release's day in the store before the gateway starts."""
    now = int(time.time() * 1000)
    records = [
        GenerationRecord(
            id=uuid7(now, os.urandom(10)),
            created_ms=now,
            key_hash="k",
            workspace_id="default",
            model=model,
            endpoint_id=f"{model}@acme",
            provider_name="Acme",
            api_type="completions",
            cost=10**6,
            input_tokens=100,
            output_tokens=10,
            task=task,
            router=router,
        )
        for _ in range(requests)
    ]
    storage = open_storage(settings_room.load({"data_dir": str(folder)}, {}))
    with closing(storage.connect_telemetry()) as connection:
        assert write_batch(connection, records) == requests
    asyncio.run(storage.close())


def ask(gateway: Gateway, model: str, text: str, **fields: Any) -> Answer:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    answer = call(gateway, "POST", CHAT, json.dumps(body).encode())
    assert answer.status == 200, answer.body
    return answer


def chosen(gateway: Gateway, text: str) -> Any:
    plugins = [{"id": "auto-router", "allowed_models": ["acme/*"], "cost_quality_tradeoff": 0}]
    return ask(gateway, "openrouter/auto", text, plugins=plugins).json["model"]


def test_models_on_which_callers_spend_for_a_task_come_first(upstream: MockServer, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    spend(folder, "acme/small-1", "general:translation", 110)
    spend(folder, "acme/middle-1", "general:translation", 120)
    spend(folder, "acme/big-1", "general:translation", 400, router="openrouter/auto")
    spend(folder, "acme/middle-1", "general:math", 99)
    with Gateway(folder, town(upstream.url, TABLE)) as gateway:
        assert chosen(gateway, TRANSLATE) == "acme/middle-1"
        assert chosen(gateway, SOLVE) == "acme/small-1"
        spend(folder, "acme/big-1", "general:math", 30)
        gateway.stop()
        gateway.start()
        assert chosen(gateway, SOLVE) == "acme/big-1"
    with Gateway(folder, town(upstream.url, TABLE + "[routers.traffic]\nrank = false\n")) as gateway:
        assert chosen(gateway, SOLVE) == "acme/small-1"


def test_the_task_of_routed_requests_and_of_a_sample_is_kept(upstream: MockServer, tmp_path: Path) -> None:
    with Gateway(tmp_path / "data", town(upstream.url, "[routers.traffic]\nsample_seconds = 0.001\n")) as gateway:
        ask(gateway, "acme/small-1", TRANSLATE)
        ask(gateway, "acme/middle-1", SOLVE, stream=True)
        routed = chosen(gateway, SOLVE)

        def rows() -> list[tuple[object, ...]]:
            with closing(sqlite3.connect(f"file:{gateway.data_dir}/telemetry.db?mode=ro", uri=True)) as connection:
                return connection.execute("SELECT task, model, routed, requests FROM task_day ORDER BY routed, task").fetchall()

        wanted = [("general:math", "acme/middle-1", 0, 1), ("general:translation", "acme/small-1", 0, 1), ("general:math", routed, 1, 1)]
        until(lambda: rows() == wanted)


def test_no_prompt_is_looked_at_where_the_operator_says_so(upstream: MockServer, tmp_path: Path) -> None:
    with Gateway(tmp_path / "data", town(upstream.url, "[routers.traffic]\nsample_seconds = 0\n")) as gateway:
        ask(gateway, "acme/small-1", TRANSLATE)
        gateway.stop()
        with closing(sqlite3.connect(f"file:{gateway.data_dir}/telemetry.db?mode=ro", uri=True)) as connection:
            assert connection.execute("SELECT sum(requests) FROM model_day").fetchone() == (1,)
            assert connection.execute("SELECT count(*) FROM task_day").fetchone() == (0,)
