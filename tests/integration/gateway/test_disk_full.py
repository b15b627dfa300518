"""A full disk under the spool: requests go on, one alarm is raised, and what the spool lacks is counted, shown and stored all the same."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from http.client import HTTPException
from mmap import PAGESIZE
from pathlib import Path
from typing import Any

import pytest
from clients import Answer, call, chat, get, send, until
from gateway import API_KEY, MANAGEMENT_KEY, Gateway
from town import town

from trunkline.mock.thread import MockServer

CALLS = 50


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose spool is a disk of one page, and that page is taken by the file `filler`."""
    spool = tmp_path / "data" / "spool"
    spool.mkdir(parents=True)
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("there is no mount command")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={PAGESIZE}", "tmpfs", str(spool)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small disk may not be mounted here: {done.stderr.strip()}")
    try:
        (spool / "filler").write_bytes(bytes(PAGESIZE))
        yield spool.parent
    finally:
        subprocess.run([umount, "--lazy", str(spool)], check=True)


def pico(usd: float) -> int:
    return round(Fraction(str(usd)) * 10**12)


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
