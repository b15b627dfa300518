"""What explains a route, over the wire: before, beside, and inside an answer."""

import json
import subprocess
import sys

import pytest
from clients import call
from gateway import API_KEY, Gateway

from trunkline.mock.thread import MockServer

PATH = "/api/v1/route"
BODY = {"model": "acme/echo-1", "messages": [{"role": "user", "content": "What is the capital of France?"}]}


@pytest.mark.parametrize(("query", "dialect"), [("", "chat"), ("?dialect=chat", "chat"), ("?dialect=responses", "responses")])
def test_a_route_is_explained_without_a_call(gateway: Gateway, upstream: MockServer, query: str, dialect: str) -> None:
    body = BODY if dialect == "chat" else {"model": "acme/echo-1", "input": "hi"}
    answer = call(gateway, "POST", PATH + query, json.dumps(body).encode())
    assert answer.status == 200
    told = answer.json["data"]
    assert (told["dialect"], told["requested"], told["strategy"]) == (dialect, "acme/echo-1", "direct")
    assert [one["rank"] for one in told["endpoints"]] == list(range(1, len(told["endpoints"]) + 1))
    assert told["endpoints"][0]["model"] == "acme/echo-1"
    assert upstream.seen() == ()


def test_it_takes_a_key(gateway: Gateway) -> None:
    assert call(gateway, "POST", PATH, json.dumps(BODY).encode(), key="sk-or-v1-" + "0" * 64).status == 401


def test_the_command_asks_the_server(gateway: Gateway) -> None:
    command = [sys.executable, "-m", "trunkline", "route", "-", "--url", gateway.url, "--key", API_KEY]
    ran = subprocess.run(command, input=json.dumps(BODY).encode(), capture_output=True, check=True, timeout=60)
    head, columns, first, *_ = ran.stdout.decode().splitlines()
    assert head.startswith("acme/echo-1 (direct, chat): ")
    assert columns.split()[:3] == ["#", "PROVIDER", "MODEL"]
    assert first.split()[0] == "1" and "acme/echo-1" in first


def test_an_answer_tells_where_it_came_from(gateway: Gateway) -> None:
    headers = {"x-openrouter-metadata": "enabled"}
    answer = call(gateway, "POST", "/api/v1/chat/completions", json.dumps(BODY).encode(), headers=headers)
    told = answer.json["openrouter_metadata"]
    assert (told["attempt"], told["attempts"][0]["status"]) == (1, 200)
    assert sum(one["selected"] for one in told["endpoints"]["available"]) == 1
