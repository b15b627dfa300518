"""A full disk, under the spool or under all data: requests go on, one alarm is raised, and what the spool lacks is counted and shown, and
stored as soon as the databases can be written."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from mmap import PAGESIZE
from pathlib import Path
from typing import Any

import pytest
from clients import Answer, call, chat, get, send, until
from gateway import API_KEY, MANAGEMENT_KEY, Gateway
from storm import Books, pico
from town import town

from trunkline.mock.thread import MockServer

CALLS = 50
SMALL = 16 * 1024 * 1024


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A disk of so many bytes at an empty folder."""
    folder.mkdir(parents=True)
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("there is no mount command")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk may not be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose spool is a disk of one page, and that page is taken by the file `filler`."""
    spool = tmp_path / "data" / "spool"
    with small_disk(spool, PAGESIZE):
        (spool / "filler").write_bytes(bytes(PAGESIZE))
        yield spool.parent


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A data folder on a disk of its own."""
    with small_disk(tmp_path / "data", SMALL):
        yield tmp_path / "data"


def fill(folder: Path) -> Path:
    """Take all that is free with a file, and return that."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(PAGESIZE))
    return filler


def health(gateway: Gateway) -> dict[str, Any]:
    """What `GET /health` says, which is always 200."""
    answer = call(gateway, "GET", "/health", key=None)
    assert answer.status == 200
    return answer.json  # type: ignore[no-any-return]


def alarms(gateway: Gateway) -> list[str]:
    """The lines of the log about the spool."""
    return [line for line in gateway.log if "the spool cannot be written" in line]


def ask(gateway: Gateway, key: str, times: int) -> list[Answer]:
    """Answers to whole and streamed calls in turn."""
    return [chat(gateway, key=key, stream=turn % 2 == 0) for turn in range(times)]


def test_a_full_disk_under_the_spool_stops_no_request_and_is_shown(full: Path, upstream: MockServer) -> None:
    with Gateway(full, town(upstream.url)) as gateway:
        assert health(gateway)["status"] == "ok"
        key = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="full", limit=1).json["key"]
        answers = ask(gateway, key, CALLS)
        assert [answer.status for answer in answers] == [200] * CALLS
        costs = [pico(answer.usage["cost"]) for answer in answers]
        assert min(costs) > 0
        [alarm] = alarms(gateway)
        assert " ERROR " in alarm
        assert "No space left on device" in alarm
        shown = health(gateway)
        assert shown["status"] == "degraded"
        assert (shown["recording"]["lost"], shown["recording"]["rejected"], shown["recording"]["dropped"]) == (CALLS, 0, 0)

        until(lambda: health(gateway)["recording"]["waiting"] == 0)
        assert [get(gateway, f"/generation?id={answer.id}", key=key).status for answer in answers] == [200] * CALLS
        assert pico(get(gateway, "/key", key=key).json["data"]["usage"]) == sum(costs)

        (full / "spool" / "filler").unlink()
        [later] = ask(gateway, key, 1)
        assert later.status == 200
        assert health(gateway)["recording"]["lost"] == CALLS
        assert len(alarms(gateway)) == 1
        assert "Traceback" not in "".join(gateway.log)


def test_a_full_disk_under_all_data_stops_no_key_without_a_limit_and_loses_nothing(small: Path, upstream: MockServer) -> None:
    """A limited key goes on within the slice of its limit that it has, and then gets 503: no further slice can be written down."""
    with Gateway(small, town(upstream.url)) as gateway:
        key = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="free").json["key"]
        limited = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="limited", limit=1).json["key"]
        answers = ask(gateway, key, 2)
        filler = fill(small)
        answers += ask(gateway, key, CALLS)
        assert [answer.status for answer in answers] == [200] * len(answers)
        bounded = ask(gateway, limited, 10)
        assert {answer.status for answer in bounded} <= {200, 503}
        answers += [answer for answer in bounded if answer.status == 200]
        assert len(alarms(gateway)) == 1
        shown = health(gateway)
        assert shown["status"] == "degraded"
        assert (shown["recording"]["rejected"], shown["recording"]["dropped"]) == (0, 0)
        assert 0 < shown["recording"]["lost"] <= len(answers)

        filler.unlink()
        until(lambda: health(gateway)["recording"]["waiting"] == 0, seconds=60)
        until(lambda: chat(gateway, key=limited).status == 200)
        answers += ask(gateway, key, 1)
        assert answers[-1].status == 200
        assert health(gateway)["recording"]["lost"] == shown["recording"]["lost"]
        assert len(alarms(gateway)) == 1
        assert gateway.stop() == 0
        assert "Traceback" not in "".join(gateway.log)
    Books(small, "").check({answer.id: pico(answer.usage["cost"]) for answer in answers}, len(answers) + 1)


def test_any_of_several_workers_tells_what_all_of_them_lost(full: Path, upstream: MockServer) -> None:
    with Gateway(full, town(upstream.url), arguments=("--workers", "2")) as gateway:
        assert {answer.status for answer in ask(gateway, API_KEY, CALLS)} == {200}
        told = {"waiting": 0, "lost": CALLS, "rejected": 0, "dropped": 0}
        until(lambda: all(health(gateway)["recording"] == told for _ in range(20)))
        for pid in Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        until(lambda: answers(gateway), seconds=20)
        assert health(gateway)["recording"]["lost"] == CALLS
        assert health(gateway)["status"] == "degraded"


def answers(gateway: Gateway) -> bool:
    """Whether a worker serves."""
    with suppress(OSError, HTTPException):
        return call(gateway, "GET", "/health", key=None, timeout=2).status == 200
    return False
