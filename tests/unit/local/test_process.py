import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trunkline.local import launch
from trunkline.local.process import ChildProcess, FolderLock

ORDER = launch.LaunchOrder(weights="w", port=1, api_key="k", parent=os.getpid())


def run(tmp_path: Path, code: str, environ: dict[str, str] | None = None) -> ChildProcess:
    """A child that runs Python `code`."""
    return ChildProcess((sys.executable, "-c", code), ORDER, log=launch.log_path(tmp_path), environ=environ or dict(os.environ))


def end_of(child: ChildProcess) -> str:
    """Waits for the child's end and returns its obituary."""
    deadline = time.monotonic() + 30
    while child.running and time.monotonic() < deadline:
        time.sleep(0.005)
    child.close()
    return child.obituary()


def test_the_order_comes_on_standard_input_and_the_environment_is_bare(tmp_path: Path) -> None:
    code = "import os,sys; sys.stderr.write(sys.stdin.readline() + ' '.join(sorted(os.environ)))"
    child = run(tmp_path, code, {"PATH": os.environ["PATH"], "OPENAI_API_KEY": "sk-secret"})
    end_of(child)
    order, names = launch.log_path(tmp_path).read_text().split("\n")
    assert launch.decode(order.encode()) == ORDER
    assert "PATH" in names and "OPENAI_API_KEY" not in names


def test_the_end_is_explained_by_code_and_last_line(tmp_path: Path) -> None:
    assert end_of(run(tmp_path, "import sys; sys.exit('first\\nno such file\\n')")) == "exit code 1: no such file"


def test_a_killed_child_is_explained_by_its_signal(tmp_path: Path) -> None:
    child = run(tmp_path, "import sys; sys.stdin.read()")
    assert child.running and child.obituary() == ""
    child.end(force=True)
    assert end_of(child) == f"signal {signal.SIGKILL.value}"
    child.end()


def test_a_child_that_is_gone_before_its_order_does_no_harm(tmp_path: Path) -> None:
    child = ChildProcess(("/bin/true",), ORDER, log=launch.log_path(tmp_path), environ={})
    assert end_of(child) == "exit code 0"


def test_a_control_c_in_the_terminal_does_not_reach_the_child(tmp_path: Path) -> None:
    child = run(tmp_path, "import sys; sys.stdin.read()")
    assert os.getsid(child.pid) != os.getsid(0)
    child.close()
    assert end_of(child) == "exit code 0"


def test_the_lock_is_for_one_and_comes_back_when_the_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = f"""
import pathlib, time
from trunkline.local.process import FolderLock
lock = FolderLock(pathlib.Path({str(path)!r}))
print(lock.take(), flush=True)
time.sleep(60)
"""
    with subprocess.Popen((sys.executable, "-c", code), stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "True\n"
        lock = FolderLock(path)
        assert not lock.take()
        holder.kill()
        holder.wait()
        assert lock.take() and lock.take()
        lock.release()
        lock.release()


def test_the_lock_file_is_private(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "lock")
    assert lock.take()
    assert (tmp_path / "lock").stat().st_mode & 0o077 == 0
    lock.release()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_key_shows_in_no_process_list(tmp_path: Path) -> None:
    child = run(tmp_path, "import sys; sys.stdin.read()")
    folder = Path(f"/proc/{child.pid}")
    seen = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
    child.close()
    end_of(child)
    assert ORDER.api_key.encode() * 3 not in seen and b"api_key" not in seen
