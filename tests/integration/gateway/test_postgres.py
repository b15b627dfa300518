"""The whole gateway on PostgreSQL: it meters as on SQLite, and goes on while the database is away."""

from collections.abc import Callable
from pathlib import Path

import pytest
from clients import chat, get, send, until
from gateway import MANAGEMENT_KEY, Gateway
from postgres_server import PostgresServer
from town import town

from trunkline.mock.thread import MockServer

STRANGER = "sk-or-v1-" + "c3" * 32


def _usage(gateway: Gateway, key: str) -> float:
    return float(get(gateway, "/key", key=key).json["data"]["usage"])


def test_known_keys_go_on_while_the_database_is_away_and_nothing_is_lost(
    postgres: PostgresServer, new_database: Callable[..., str], upstream: MockServer, tmp_path: Path
) -> None:
    url = new_database(empty=True)
    with Gateway(tmp_path, town(upstream.url), environ={"TRUNKLINE_DATABASE_URL": url}) as gateway:
        key = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="known", limit=100).json["key"]
        answers = [chat(gateway, key=key)]
        postgres.stop()
        try:
            answers += [chat(gateway, key=key) for _ in range(5)]
            assert {answer.status for answer in answers} == {200}
            assert chat(gateway, key=STRANGER).error["code"] == 503
        finally:
            postgres.start()
        cost = sum(answer.usage["cost"] for answer in answers)
        until(lambda: _usage(gateway, key) == pytest.approx(cost))
        until(lambda: chat(gateway, key=STRANGER).status == 401)
        records = [get(gateway, f"/generation?id={answer.id}", key=key).json["data"]["total_cost"] for answer in answers]
        assert sum(records) == pytest.approx(cost)
        assert gateway.stop() == 0
        gateway.start()
        assert _usage(gateway, key) == pytest.approx(cost)
        assert not any("Traceback" in line for line in gateway.log), "".join(gateway.log)


def test_several_workers_share_one_key_and_a_gateway_on_another_folder_knows_it(
    new_database: Callable[..., str], upstream: MockServer, tmp_path: Path
) -> None:
    environ = {"TRUNKLINE_DATABASE_URL": new_database()}
    with (
        Gateway(tmp_path / "one", town(upstream.url), arguments=("--workers", "2"), environ=environ) as first,
        Gateway(tmp_path / "two", town(upstream.url), environ=environ) as second,
    ):
        key = send(first, "POST", "/keys", key=MANAGEMENT_KEY, name="shared", limit=100).json["key"]
        answers = [chat(gateway, key=key) for gateway in (first, second) * 5]
        assert {answer.status for answer in answers} == {200}
        cost = sum(answer.usage["cost"] for answer in answers)
        until(lambda: all(_usage(gateway, key) == pytest.approx(cost) for gateway in (first, second)))
