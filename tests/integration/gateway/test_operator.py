"""The operator's contract (docs/reference/settings.md): signals, reload, starting keys, settings, workers, what is open to whom, and the
command line beside a running server."""

import asyncio
import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import CHAT, Answer, call, chat, chat_body, crowd, dial, get, head, read_to_end, request, send, until
from gateway import API_KEY, MANAGEMENT_KEY, Gateway
from town import alone, town

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Pace, Rule
from trunkline.mock.thread import MockServer

SECRET = "sk-or-v1-" + "c3" * 32


def trunkline(gateway: Gateway, *arguments: str) -> str:
    """The command line, on the data folder of a running server; returns what it prints."""
    command = [sys.executable, "-m", "trunkline", *arguments, "--data-dir", str(gateway.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=gateway.data_dir, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refuse_to_start(tmp_path: Path, environ: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Exit code and standard error of a server that is not to start."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    command = [sys.executable, "-m", "trunkline", "serve", "--port", "0", "--data-dir", str(tmp_path / "data"), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False, env=plain | {"TRUNKLINE_LOCAL": "off"} | environ
    )
    return done.returncode, done.stderr


def refuses(gateway: Gateway) -> bool:
    """Whether a newcomer gets no connection, or no answer on it."""
    with contextlib.suppress(ConnectionError), dial(gateway, 30) as connection:
        connection.sendall(head("/health", method="GET", extra=[b"Connection: close"]))
        return read_to_end(connection) == b""
    return True


class Streams:
    """Streams that run in threads while the test does something to the server."""

    def __init__(self, gateway: Gateway, count: int) -> None:
        self.answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._take, args=(gateway,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _take(self, gateway: Gateway) -> None:
        self.answers.append(chat(gateway, stream=True))

    def wait(self) -> list[Answer]:
        for thread in self._threads:
            thread.join()
        return self.answers


class TestSignals:
    """One server of its own for each test: it is stopped or reloaded."""

    def test_sigterm_finishes_streams_refuses_newcomers_and_exits_0(self, upstream: MockServer, tmp_path: Path) -> None:
        upstream.use(Rule(answer=Said(events=120), pace=Pace(event_ms=25)))
        with Gateway(tmp_path, town(upstream.url)) as gateway:
            streams = Streams(gateway, 8)
            upstream.wait(lambda seen: len(seen) == 8)
            gateway.signal(signal.SIGTERM)
            until(lambda: refuses(gateway))
            assert len(streams.answers) < 8
            answers = streams.wait()
            assert gateway.wait() == 0
            assert [(answer.status, answer.complete, answer.done) for answer in answers] == [(200, True, True)] * 8
            assert all(answer.text.endswith("w119 ") for answer in answers)
            gateway.start()
            for answer in answers:
                assert get(gateway, f"/generation?id={answer.id}").json["data"]["total_cost"] == pytest.approx(answer.usage["cost"])

    def test_an_idle_server_stops_at_once(self, upstream: MockServer, tmp_path: Path) -> None:
        with Gateway(tmp_path, town(upstream.url)) as gateway:
            with dial(gateway) as idle:
                idle.sendall(request(chat_body()))
                assert idle.recv(12) == b"HTTP/1.1 200"
                started = time.monotonic()
                assert gateway.stop() == 0
            assert time.monotonic() - started < 20

    def test_sighup_takes_a_good_file_and_keeps_the_old_one_for_a_bad_one(self, upstream: MockServer, tmp_path: Path) -> None:
        with Gateway(tmp_path, town(upstream.url)) as gateway:
            gateway.config.write_text(town(upstream.url) + alone("acme/late", "late"))
            gateway.signal(signal.SIGHUP)
            until(lambda: get(gateway, "/model/acme/late").status == 200)
            assert chat(gateway, model="acme/late").status == 200
            gateway.config.write_text('[[models]]\nid = "not a slug"\n')
            gateway.signal(signal.SIGHUP)
            until(lambda: any("not a slug" in line for line in gateway.log))
            assert chat(gateway, model="acme/late").status == 200
            assert get(gateway, "/model/acme/late").status == 200

    def test_a_reload_under_load_breaks_no_request(self, upstream: MockServer, tmp_path: Path) -> None:
        upstream.use(Rule(answer=Said(events=20), pace=Pace(event_ms=10)))
        with Gateway(tmp_path, town(upstream.url)) as gateway:
            streams = Streams(gateway, 6)
            for _ in range(4):
                gateway.signal(signal.SIGHUP)
                time.sleep(0.03)
            assert all(answer.done for answer in streams.wait())


class TestStartingKeys:
    """TRUNKLINE_BOOTSTRAP_*_KEY."""

    def test_a_disabled_one_stays_disabled_over_a_restart_with_a_warning(self, upstream: MockServer, tmp_path: Path) -> None:
        with Gateway(tmp_path, town(upstream.url)) as gateway:
            [key] = [key for key in get(gateway, "/keys", key=MANAGEMENT_KEY).json["data"] if "inference" in key["name"]]
            assert send(gateway, "PATCH", f"/keys/{key['hash']}", key=MANAGEMENT_KEY, disabled=True).status == 200
            assert chat(gateway).status == 401
            assert gateway.stop() == 0
            gateway.start()
            assert chat(gateway).status == 401
            assert any("TRUNKLINE_BOOTSTRAP_API_KEY is disabled" in line for line in gateway.log)
            assert API_KEY not in "".join(gateway.log)

    def test_they_may_lie_in_files(self, upstream: MockServer, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text(f"{SECRET}\n")
        environ = {"TRUNKLINE_BOOTSTRAP_API_KEY": "", "TRUNKLINE_BOOTSTRAP_API_KEY_FILE": str(file)}
        with Gateway(tmp_path / "data", town(upstream.url), environ=environ) as gateway:
            assert chat(gateway, key=SECRET).status == 200
            assert chat(gateway, key=API_KEY).status == 401


@pytest.mark.parametrize(
    ("environ", "arguments", "named"),
    [
        ({"TRUNKLINE_BOOTSTRAP_API_KEY": "hunter2"}, (), "TRUNKLINE_BOOTSTRAP_API_KEY"),
        ({"TRUNKLINE_BOOTSTRAP_MANAGEMENT_KEY": "sk-or-v1-hunter2"}, (), "TRUNKLINE_BOOTSTRAP_MANAGEMENT_KEY"),
        ({"TRUNKLINE_BOOTSTRAP_API_KEY_FILE": "/nowhere/hunter2"}, (), "TRUNKLINE_BOOTSTRAP_API_KEY_FILE"),
        ({"TRUNKLINE_WORKERS": "many"}, (), "TRUNKLINE_WORKERS"),
        ({"TRUNKLINE_LOCAL": "perhaps"}, (), "TRUNKLINE_LOCAL"),
        ({"TRUNKLINE_TRUSTED_PROXIES": "everyone"}, (), "TRUNKLINE_TRUSTED_PROXIES"),
        ({"TRUNKLINE_PUBLIC_URL": "not a url"}, (), "TRUNKLINE_PUBLIC_URL"),
        ({}, ("--workers", "0"), "--workers"),
        ({}, ("--config", "/nowhere/trunkline.toml"), "/nowhere/trunkline.toml"),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else None,
)
def test_a_wrong_setting_ends_the_start_in_one_line_that_names_it(
    tmp_path: Path, environ: dict[str, str], arguments: tuple[str, ...], named: str
) -> None:
    code, told = refuse_to_start(tmp_path, environ, *arguments)
    lines = [line for line in told.splitlines() if line.strip()]
    assert code == 1
    assert named in lines[-1]
    assert lines[-1].startswith("trunkline: ")
    assert "Traceback" not in told
    assert "hunter2" not in told.replace("/nowhere/hunter2", "")


def test_a_wrong_file_ends_the_start_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "trunkline.toml").write_text(
        '[[providers]]\nslug = "acme"\nname = "Acme"\ndialect = "telegraph"\nbase_url = "http://127.0.0.1:1/v1"\n'
    )
    code, told = refuse_to_start(tmp_path, {})
    assert code == 1
    assert "telegraph" in told
    assert "Traceback" not in told


def test_a_port_in_use_ends_the_start(tmp_path: Path, gateway: Gateway) -> None:
    code, told = refuse_to_start(tmp_path, {"TRUNKLINE_PORT": gateway.url.rpartition(":")[2]}, "--port", gateway.url.rpartition(":")[2])
    assert code == 1
    assert told.strip().splitlines()[-1].startswith("trunkline: ")


@pytest.fixture(scope="module")
def fleet(mock: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with two workers."""
    with Gateway(tmp_path_factory.mktemp("fleet"), town(mock.url), arguments=("--workers", "2")) as running:
        until(lambda: all_started(running, 2), seconds=60)
        yield running


def workers(gateway: Gateway) -> list[int]:
    """The process ids of a gateway's workers."""
    return [int(pid) for pid in Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()]


@contextlib.contextmanager
def only(running: int, stopped: int) -> Iterator[None]:
    """Only one of two workers runs, so that it must be the one that answers."""
    os.kill(running, signal.SIGCONT)
    os.kill(stopped, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(stopped, signal.SIGCONT)


def all_started(gateway: Gateway, count: int) -> bool:
    """Whether so many workers serve: each alone answers."""
    running = workers(gateway)
    if len(running) != count or not all(handles_signals(pid) for pid in running):
        return False
    return all(alone_answers(gateway, pid, running) for pid in running)


def alone_answers(gateway: Gateway, pid: int, running: list[int]) -> bool:
    with contextlib.ExitStack() as stack:
        for other in running:
            if other != pid:
                stack.enter_context(only(pid, other))
        return call(gateway, "GET", "/health", timeout=60).status == 200


def handles_signals(pid: int) -> bool:
    """Whether the process catches SIGHUP, which a worker does from when its loop runs."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(caught, 16) & 1 << (signal.SIGHUP - 1))


class TestWorkers:
    """Two workers on one socket."""

    def test_a_change_of_keys_reaches_the_other_worker_within_a_second(self, fleet: Gateway, upstream: MockServer) -> None:
        one, other = workers(fleet)
        with only(one, other):
            made = send(fleet, "POST", "/keys", key=MANAGEMENT_KEY, name="new").json
            assert chat(fleet, key=made["key"]).status == 200
        with only(other, one):
            assert chat(fleet, key=made["key"]).status == 200
        with only(one, other):
            send(fleet, "PATCH", f"/keys/{made['data']['hash']}", key=MANAGEMENT_KEY, disabled=True)
            assert chat(fleet, key=made["key"]).status == 401
        with only(other, one):
            until(lambda: chat(fleet, key=made["key"]).status == 401, seconds=15)  # once a second; a busy machine gets more time

    @pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
    def test_the_other_worker_knows_a_generation_right_after_the_reply(self, fleet: Gateway, upstream: MockServer, streamed: bool) -> None:
        one, other = workers(fleet)
        for there, here in ((one, other), (other, one)):
            with only(there, here):
                answer = chat(fleet, stream=streamed)
            with only(here, there):
                assert get(fleet, f"/generation?id={answer.id}").json["data"]["total_cost"] == pytest.approx(answer.usage["cost"])

    def test_a_limit_holds_over_all_workers(self, fleet: Gateway, upstream: MockServer) -> None:
        upstream.use(Rule(answer=Said(text="Hi", usage={"prompt_tokens": 7, "completion_tokens": 1})))
        key = send(fleet, "POST", "/keys", key=MANAGEMENT_KEY, name="limited", limit=0.05).json["key"]
        answers = asyncio.run(crowd(fleet, [chat_body(model="acme/dear", max_tokens=1)] * 200, at_once=50, key=key))
        assert {answer.status for answer in answers if answer} == {200, 402}
        assert sum(answer.usage["cost"] for answer in answers if answer and answer.status == 200) <= 0.05 + 0.001007 + 1e-9

    def test_a_killed_worker_is_started_again_and_loses_nothing(self, fleet: Gateway, upstream: MockServer) -> None:
        upstream.use(Rule(answer=Said(events=5), pace=Pace(event_ms=2)))
        before = workers(fleet)

        async def load() -> list[Answer | None]:
            killer = asyncio.get_running_loop().call_later(0.3, os.kill, before[0], signal.SIGKILL)
            answers = await crowd(fleet, [chat_body(stream=number % 2 == 1) for number in range(600)], at_once=16)
            killer.cancel()
            return answers

        answers = [answer for answer in asyncio.run(load()) if answer is not None]
        assert len(answers) > 300
        assert {answer.status for answer in answers} == {200}
        for answer in answers[::7]:
            assert get(fleet, f"/generation?id={answer.id}").status == 200
        until(lambda: workers(fleet) != before and all_started(fleet, 2), seconds=60)

    def test_sigterm_while_workers_start_is_a_clean_end(self, mock: MockServer, tmp_path: Path) -> None:
        with Gateway(tmp_path, town(mock.url), arguments=("--workers", "2")) as gateway:
            assert gateway.stop() == 0
        assert "ended with code" not in "".join(gateway.log)

    def test_sigterm_ends_them_all(self, fleet: Gateway) -> None:
        running = workers(fleet)
        assert fleet.stop() == 0
        assert not [pid for pid in running if Path(f"/proc/{pid}").exists()]


class TestOpenness:
    """Closed by default: the management API answers this machine only, whatever the key (design: an extra lock)."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"Forwarded": "for=127.0.0.1"},
            {"X-Forwarded-For": "127.0.0.1"},
            {"X-Forwarded-Host": "localhost"},
            {"X-Forwarded-Proto": "http"},
            {"Via": "1.1 proxy"},
            {"Host": "evil.test"},
            {"Host": "localhost.evil.test"},
            {"Host": "127.0.0.1.evil.test:8787"},
        ],
        ids=lambda headers: ":".join(next(iter(headers.items()))),
    )
    def test_the_management_api_is_closed_to_what_came_from_elsewhere(self, gateway: Gateway, headers: dict[str, str]) -> None:
        answer = get(gateway, "/keys", key=MANAGEMENT_KEY, headers=headers)
        assert answer.status == 403
        assert answer.error["metadata"]["error_type"] == "permission_denied"
        made = call(gateway, "POST", "/api/v1/keys", b'{"name": "x"}', key=MANAGEMENT_KEY, headers=headers)
        assert made.status == 403

    def test_it_is_never_open_without_a_management_key(self, gateway: Gateway) -> None:
        assert get(gateway, "/keys", key=None).status == 401
        assert get(gateway, "/keys").status == 403
        assert get(gateway, "/credits", key=None).status == 401

    @pytest.mark.parametrize("host", ["localhost", "localhost:8787", "127.0.0.1", "[::1]:8787"])
    def test_this_machine_may_use_it(self, gateway: Gateway, host: str) -> None:
        assert get(gateway, "/keys", key=MANAGEMENT_KEY, headers={"Host": host}).status == 200

    def test_inference_is_open_behind_a_proxy(self, gateway: Gateway, upstream: MockServer) -> None:
        answer = call(gateway, "POST", CHAT, chat_body(), headers={"X-Forwarded-For": "203.0.113.7", "Host": "llm.test"})
        assert answer.status == 200


class TestBrowsers:
    """CORS, as browser apps expect of OpenRouter."""

    @pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/models", "/key", "/generation"])
    def test_a_preflight_needs_no_key(self, gateway: Gateway, path: str) -> None:
        asked = {
            "Origin": "https://app.test",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-app",
        }
        answer = call(gateway, "OPTIONS", f"/api/v1{path}", key=None, headers=asked)
        assert answer.status == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "x-app" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers

    def test_errors_carry_the_headers_too(self, gateway: Gateway) -> None:
        for answer in (chat(gateway, key="nonsense"), chat(gateway, model="acme/nothing"), call(gateway, "POST", CHAT, b"{")):
            assert answer.error
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "X-Generation-Id" in answer.headers["access-control-expose-headers"]

    def test_the_management_api_sends_none(self, gateway: Gateway) -> None:
        answer = get(gateway, "/keys", key=MANAGEMENT_KEY, headers={"Origin": "https://app.test"})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        asked = {"Origin": "https://app.test", "Access-Control-Request-Method": "GET"}
        assert "access-control-allow-origin" not in call(gateway, "OPTIONS", "/api/v1/keys", key=None, headers=asked).headers


class TestCommandLine:
    """`trunkline` on the data folder of a running server."""

    def test_a_key_is_made_used_listed_and_refused_within_a_second(self, gateway: Gateway, upstream: MockServer) -> None:
        secret = trunkline(gateway, "keys", "create", "--name", "from the shell", "--limit", "1").split()[-1]
        assert chat(gateway, key=secret).status == 200
        [line] = [line for line in trunkline(gateway, "keys", "list").splitlines() if "from the shell" in line]
        assert secret not in line
        trunkline(gateway, "keys", "disable", line.split()[0])
        until(lambda: chat(gateway, key=secret).status == 401, seconds=15)

    def test_a_backup_is_whole_while_requests_run(self, gateway: Gateway, upstream: MockServer, tmp_path: Path) -> None:
        answer = chat(gateway)
        streams = Streams(gateway, 4)
        until(lambda: generation_stored(gateway.data_dir, answer))
        trunkline(gateway, "db", "backup", str(tmp_path / "copy"))
        assert all(answer.done for answer in streams.wait())
        for file in (tmp_path / "copy").iterdir():
            with contextlib.closing(sqlite3.connect(file)) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert generation_stored(tmp_path / "copy", answer)


def generation_stored(folder: Path, answer: Answer) -> bool:
    """Whether the telemetry database in this folder holds the generation of that upstream answer."""
    [file] = [file for file in folder.iterdir() if re.fullmatch(r"telemetry\.(db|sqlite3?)", file.name)]
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return bool(database.execute("SELECT count(*) FROM generations").fetchone()[0])


def test_secrets_are_in_no_output(gateway: Gateway, upstream: MockServer) -> None:
    """Provider keys are in no answer and no log (pitfalls 19)."""
    answers: list[Any] = [get(gateway, path).body for path in ("/models", "/providers", "/models/pair/m0/endpoints", "/key")]
    answers += [chat(gateway).body, chat(gateway, model="nowhere/gone").body, get(gateway, "/keys", key=MANAGEMENT_KEY).body]
    everything = b"".join(answers).decode() + "".join(gateway.log)
    assert not [secret for secret in ("secret-of-", API_KEY, MANAGEMENT_KEY) if secret in everything]
