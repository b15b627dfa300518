"""What one worker learns of an endpoint or a credential, the other knows within a second."""

import http.client
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from clients import CHAT, TIMEOUT, until
from gateway import API_KEY, Gateway
from msgspec import Struct
from town import endpoint, model, provider

from trunkline.mock.script import Fault, Match, Rule
from trunkline.mock.thread import MockServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the board lies on disk, which the unit tests show")

DEARER = '{ prompt = "0.000004", completion = "0.000008" }'
REST_S = 300
WITHIN_S = 1.0
START_S = 60
AT_ONCE = 8
"""Connections that are opened at the same time, so that a worker alone has too much to do to take all of them."""
CHEAPEST = {"sort": "price"}


class Line:
    """A connection that one worker keeps."""

    def __init__(self, gateway: Gateway) -> None:
        host, _, port = gateway.url.removeprefix("http://").partition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT)
        self._connection.connect()

    @property
    def port(self) -> int:
        """The client's end."""
        return int(self._connection.sock.getsockname()[1])

    def ask(self, slug: str, text: str = "hi", wish: object = CHEAPEST) -> Any:
        """One request, and what came of it."""
        body = {"model": slug, "messages": [{"role": "user", "content": text}], "provider": wish}
        headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json", "X-OpenRouter-Metadata": "enabled"}
        self._connection.request("POST", CHAT, json.dumps(body).encode(), headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == 200, answer
        return answer

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found.append(int(folder.name))
    return found


def owner(port: int, pids: list[int]) -> int:
    """Which of the processes holds the other end of a connection from this port; 0 = none yet."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if int(row[2].partition(":")[2], 16) == port}
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if str(file.readlink()).removeprefix("socket:[").removesuffix("]") in inodes:
                    return pid
            except OSError:
                continue
    return 0


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    """The cheaper endpoint fails when the prompt says so."""
    rules = (
        Rule(match=Match(model="cheap-*", contains="rest!"), fault=Fault(kind="status", status=503, retry_after=REST_S)),
        Rule(match=Match(model="cheap-*", contains="fail!"), fault=Fault(kind="status", status=500)),
        Rule(match=Match(model="cheap-*", contains="slower!"), fault=Fault(kind="status", status=429, retry_after=REST_S)),
        Rule(match=Match(model="cheap-*", contains="who?"), fault=Fault(kind="status", status=401)),
    )
    with MockServer(rules=rules) as server:
        yield server


class Trouble(Struct, frozen=True):
    """What to say to the cheaper endpoint, how often, and what the router notes of it then."""

    name: str
    words: str
    note: str
    times: int = 1


TROUBLES = (
    Trouble("rest", "rest!", "waiting"),
    Trouble("outage", "fail!", "outage"),
    Trouble("ejection", "fail!", "waiting", times=5),
    Trouble("rate-limit", "slower!", "waiting"),
    Trouble("credential", "who?", "waiting"),
)


@pytest.fixture(scope="module")
def workers(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Line, Line]]:
    """A connection to each of the two workers."""
    tables = []
    for name in (*(trouble.name for trouble in TROUBLES), "recovery"):
        slug = f"shared/{name}"
        tables += [provider(f"cheap-{name}", upstream.url), provider(f"dear-{name}", upstream.url), model(slug)]
        tables += [endpoint(slug, f"cheap-{name}", f"cheap-{name}"), endpoint(slug, f"dear-{name}", "dear", pricing=DEARER)]
    folder = tmp_path_factory.mktemp("shared")
    with Gateway(folder, "\n".join(tables), arguments=("--workers", "2")) as gateway, ExitStack() as stack:
        lines: dict[int, Line] = {}

        def connect(_: int) -> tuple[int, Line]:
            line = Line(gateway)
            stack.callback(line.close)
            line.ask("shared/rest")
            worker = owner(line.port, children(gateway.pid))
            assert worker, "a worker holds the connection"
            return worker, line

        def both() -> bool:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                lines.update(threads.map(connect, range(AT_ONCE)))
            return len(lines) == 2

        until(both, START_S)
        first, second = lines.values()
        yield first, second


def served(answer: Any) -> str:
    """Which kind of endpoint gave an answer."""
    return str(answer["provider"]).lower().partition("-")[0]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_the_other_worker_avoids_what_one_had_trouble_with(workers: tuple[Line, Line], upstream: MockServer, trouble: Trouble) -> None:
    one, other = workers
    slug, cheap = f"shared/{trouble.name}", f"cheap-{trouble.name}"
    assert served(other.ask(slug)) == "cheap", "it would choose it, and has looked at the news just now"
    for _ in range(trouble.times):
        assert served(one.ask(slug, trouble.words, {"order": [cheap]})) == "dear"
    time.sleep(WITHIN_S)
    before = len(upstream.seen())
    answer = other.ask(slug)
    assert served(answer) == "dear"
    assert [seen.model for seen in upstream.seen()[before:]] == ["dear"], "the very next request goes elsewhere at once"
    (row,) = [row for row in answer["openrouter_metadata"]["endpoints"]["available"] if row["tag"] == cheap]
    assert trouble.note in row["notes"]


def test_what_one_worker_takes_back_the_other_takes_back(workers: tuple[Line, Line]) -> None:
    """An outage ends with a success in the worker that saw it."""
    one, other = workers
    cheap = {"order": ["cheap-recovery"]}
    assert served(one.ask("shared/recovery", "fail!", cheap)) == "dear"
    time.sleep(WITHIN_S)
    assert served(other.ask("shared/recovery")) == "dear"
    assert served(one.ask("shared/recovery", "hi", cheap)) == "cheap"
    time.sleep(WITHIN_S)
    assert served(other.ask("shared/recovery")) == "cheap"
