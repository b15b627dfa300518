import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trunkline.errors import UpstreamRefused
from trunkline.local.supervisor import LocalModel

Command = tuple[str, ...]


def build(folder: Path, command: Command, *, port: int | None = None, weights: str = "ok", start_timeout: float = 60.0) -> LocalModel:
    """A supervisor of the stand-in child."""
    return LocalModel(
        Path(weights), folder=folder / "local", port=port, api_key="key-1", environ=os.environ, command=command, start_timeout=start_timeout
    )


def supervised(model: LocalModel, story: Callable[[LocalModel], Awaitable[None]]) -> None:
    """Runs a story with the model and stops it at the end."""

    async def main() -> None:
        try:
            await story(model)
        finally:
            await model.stop()

    asyncio.run(main())


async def kill(model: LocalModel) -> None:
    """Kills the model's child and waits until that shows."""
    os.kill(model.status().pid, signal.SIGKILL)
    while model.status().pid:
        await asyncio.sleep(0.002)


def gone(pid: int) -> bool:
    """Whether the process ends within half a minute."""
    for _ in range(6000):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.005)
    return False


def test_nothing_runs_before_the_first_request(tmp_path: Path, fake_command: Command) -> None:
    model = build(tmp_path, fake_command)
    status = model.status()
    assert (status.phase, status.pid, status.restarts) == ("idle", 0, 0)
    assert model.base_url == f"http://127.0.0.1:{model.port}/v1" and model.port > 0
    asyncio.run(model.stop())


def test_many_first_requests_start_one_child(tmp_path: Path, fake_command: Command) -> None:
    async def story(model: LocalModel) -> None:
        await asyncio.gather(*(model.ready() for _ in range(20)))
        assert (model.status().phase, model.status().restarts) == ("ready", 0)
        assert model.status().up_seconds > 0

    supervised(build(tmp_path, fake_command), story)


def test_a_request_that_gives_up_does_not_spoil_the_start(tmp_path: Path, fake_command: Command) -> None:
    async def story(model: LocalModel) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await model.ready()
        await model.ready()
        assert model.status().restarts == 0

    supervised(build(tmp_path, fake_command), story)


def test_a_killed_child_is_replaced_by_the_next_request(tmp_path: Path, fake_command: Command) -> None:
    async def story(model: LocalModel) -> None:
        await model.ready()
        first = model.status().pid
        await kill(model)
        assert (model.status().phase, model.status().reason) == ("crashed", "signal 9")
        await model.ready()
        assert model.status().phase == "ready" and model.status().pid != first and model.status().restarts == 1

    supervised(build(tmp_path, fake_command), story)


def test_a_child_that_keeps_crashing_is_refused_with_reason_and_pause(tmp_path: Path, fake_command: Command) -> None:
    async def story(model: LocalModel) -> None:
        with pytest.raises(UpstreamRefused, match=r"restarting after a crash \(exit code 1: cannot load the model\)") as caught:
            await model.ready()
        assert (caught.value.kind, caught.value.status) == ("overloaded", 503)
        assert caught.value.retry_after is not None and 1.0 < caught.value.retry_after <= 10.0
        lasted = []
        while not lasted or (lasted[-1] >= 0.3 and len(lasted) < 10):  # a busy machine may have sat the pause out
            asked = time.monotonic()
            with pytest.raises(UpstreamRefused):
                await model.ready()
            lasted.append(time.monotonic() - asked)
        assert min(lasted) < 0.3, "while the pause lasts the refusal is immediate"

    supervised(build(tmp_path, fake_command, weights="crash"), story)


def test_a_child_that_never_answers_is_given_up(tmp_path: Path) -> None:
    async def story(model: LocalModel) -> None:
        with pytest.raises(UpstreamRefused, match="did not come up within"):
            await model.ready()
        assert model.status().phase == "starting"

    deaf = (sys.executable, "-c", "import sys; sys.stdin.buffer.read()")
    supervised(build(tmp_path, deaf, start_timeout=0.2), story)


def test_two_workers_share_one_child_and_the_second_takes_over(tmp_path: Path, fake_command: Command) -> None:
    async def story(first: LocalModel) -> None:
        second = build(tmp_path, fake_command, port=first.port)
        await asyncio.gather(first.ready(), second.ready())
        assert sorted((first.status().pid > 0, second.status().pid > 0)) == [False, True]
        assert first.status().phase == second.status().phase == "ready"
        holder, guest = (first, second) if first.status().pid else (second, first)
        await holder.stop()
        guest._trusted_until = 0.0
        await guest.ready()
        assert guest.status().pid > 0
        await second.stop()

    supervised(build(tmp_path, fake_command), story)


def test_stop_ends_the_child_and_later_requests(tmp_path: Path, fake_command: Command) -> None:
    async def story(model: LocalModel) -> None:
        await model.ready()
        pid = model.status().pid
        await model.stop()
        assert gone(pid) and model.status().phase == "stopped"
        with pytest.raises(UpstreamRefused, match="stopped"):
            await model.ready()

    supervised(build(tmp_path, fake_command), story)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_attempt(tmp_path: Path, fake_command: Command) -> None:
    async def story(model: LocalModel) -> None:
        with pytest.raises(UpstreamRefused, match=r"cannot be started: .*Not a directory"):
            await model.ready()

    (tmp_path / "file").write_text("")
    supervised(build(tmp_path / "file", fake_command), story)


def test_a_second_gateway_on_the_same_folder_is_told_who_is_in_the_way(tmp_path: Path, fake_command: Command) -> None:
    async def story(first: LocalModel) -> None:
        await first.ready()
        second = build(tmp_path, fake_command, start_timeout=0.1)
        with pytest.raises(UpstreamRefused, match=r"another process holds .*/local/lock"):
            await second.ready()
        await second.stop()

    supervised(build(tmp_path, fake_command), story)


def test_a_stop_during_a_start_leaves_nothing_behind(tmp_path: Path, fake_command: Command) -> None:
    async def story(model: LocalModel) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(_refused(model))
            await asyncio.sleep(0.02)
            await model.stop()
        assert model.status().pid == 0 and model.status().phase == "stopped"

    async def _refused(model: LocalModel) -> None:
        with pytest.raises(UpstreamRefused, match="stopped"):
            await model.ready()

    supervised(build(tmp_path, fake_command), story)


def test_a_child_deaf_to_sigterm_is_killed(tmp_path: Path, fake_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trunkline.local.supervisor._GRACE", 0.1)
    script = Path(fake_command[-1])
    script.write_text("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + script.read_text())

    async def story(model: LocalModel) -> None:
        await model.ready()
        pid = model.status().pid
        await model.stop()
        assert gone(pid) and model.status().reason == "signal 9"

    supervised(build(tmp_path, fake_command), story)


def test_no_orphan_is_left_when_the_gateway_is_killed(tmp_path: Path, fake_command: Command) -> None:
    code = f"""
import asyncio, os, pathlib, time
from trunkline.local.supervisor import LocalModel
async def main():
    folder = pathlib.Path({str(tmp_path)!r})
    model = LocalModel(pathlib.Path("ok"), folder=folder, port=None, api_key="k", environ=os.environ, command={fake_command!r})
    await model.ready()
    print(model.status().pid, flush=True)
    time.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen((sys.executable, "-c", code), stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        child = int(gateway.stdout.readline())
        gateway.kill()
        gateway.wait()
    assert gone(child)
