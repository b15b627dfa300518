"""The parent of several workers, with workers that are a few lines of Python. Each scene runs in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

PARENT = """
import os, socket, sys
from trunkline.app import workers
workers.FIRST_PAUSE_SECONDS = workers.LOOK_SECONDS = 0.01
workers.STOP_SECONDS = float(sys.argv[2])
command = [sys.executable, "-c", sys.argv[1]]
listener = socket.create_server(("127.0.0.1", 0))
sys.exit(workers.Workers(2, command, listener, dict(os.environ), lambda: print("ready", flush=True)).run())
"""
READY = "os.write(int(os.environ['TRUNKLINE_WORKER_READY_FD']), bytes([int(os.environ['TRUNKLINE_WORKER_NUMBER'])]))"
HEAD = "import os, signal, socket, sys, time\n"
SERVE = f"""{HEAD}
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGHUP, lambda *_: os.write(1, b"again %d\\n" % os.getpid()))
socket.socket(fileno=int(os.environ["TRUNKLINE_WORKER_FD"])).getsockname()
os.write(1, b"%d\\n" % os.getpid())
{READY}
while True: time.sleep(1)
"""


def start(worker: str, *, stop_seconds: float = 60.0) -> subprocess.Popen[str]:
    """A parent whose workers run this program."""
    command = [sys.executable, "-c", textwrap.dedent(PARENT), worker, str(stop_seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def read(parent: subprocess.Popen[str], lines: int) -> list[str]:
    """The next lines that parent and workers print."""
    assert parent.stdout is not None
    return [parent.stdout.readline().strip() for _ in range(lines)]


def end(parent: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    """Signals the parent; returns its exit code."""
    parent.send_signal(number)
    parent.communicate(timeout=60)
    return parent.returncode


def test_ready_is_said_once_and_signals_are_handed_on() -> None:
    parent = start(SERVE)
    lines = read(parent, 3)
    assert lines.count("ready") == 1 and sum(line.isdigit() for line in lines) == 2
    heard = set()
    while len(heard) < 2:  # the second worker may not serve yet
        parent.send_signal(signal.SIGHUP)
        heard.update(read(parent, 1))
    assert heard == {f"again {line}" for line in lines if line.isdigit()}
    assert end(parent) == 0


def test_ctrl_c_is_a_clean_end_too() -> None:
    parent = start(SERVE)
    read(parent, 3)
    assert end(parent, signal.SIGINT) == 0


def test_a_worker_that_died_is_started_again() -> None:
    parent = start(SERVE)
    pids = [int(line) for line in read(parent, 3) if line.isdigit()]
    os.kill(pids[0], signal.SIGKILL)
    assert int(read(parent, 1)[0]) not in pids
    assert end(parent) == 0


def test_workers_that_cannot_start_are_given_up() -> None:
    parent = start("raise SystemExit(3)")
    out, error = parent.communicate(timeout=60)
    assert parent.returncode == 1 and out == ""
    told = re.search(r"(\d+) starts of a worker failed one after another, and none serves", error)
    assert told is not None
    assert int(told[1]) in (5, 6)  # two workers: both may end in the same look


def test_workers_count_in_one_tally() -> None:
    own = "{'waiting': 0, 'lost': 7, 'rejected': 0, 'dropped': 0}"
    count = "from trunkline.app.environment import find_tally; tally = find_tally(os.environ)"
    parent = start(SERVE.replace(READY, f"{count}; tally.publish({own}); {READY}\nos.write(1, b'lost %d\\n' % tally.total({own})['lost'])"))
    lines = read(parent, 5)
    assert "lost 14" in lines
    assert end(parent) == 0


def test_workers_read_one_board() -> None:
    find = (
        "from trunkline.app.environment import find_board; from trunkline.health.board import News, Notice; board = find_board(os.environ)"
    )
    tell = "board.publish(News({str(os.getpid()): Notice(1.0, 2.0)}))"
    look = "news = board.read(0.0)\nwhile not (news and news.endpoints): time.sleep(0.01); news = board.read(0.0) or news"
    said = "os.write(1, b'%d heard of %d\\n' % (os.getpid(), int(list(news.endpoints)[0])))"
    parent = start(SERVE.replace(READY, f"{find}; {tell}\n{look}\n{said}\n{READY}"))
    pairs = [line.split(" heard of ") for line in read(parent, 5) if "heard" in line]
    assert {(one, other) for one, other in pairs} == {(other, one) for one, other in pairs}
    assert len(pairs) == 2
    assert end(parent) == 0


def test_a_worker_that_does_not_end_is_killed() -> None:
    parent = start(SERVE.replace("sys.exit(0)", "None"), stop_seconds=0.5)
    read(parent, 3)
    assert end(parent) == 1


def test_a_worker_that_is_still_starting_may_be_stopped() -> None:
    parent = start("import os, time; os.write(1, b'starts\\n'); time.sleep(60)")
    read(parent, 2)
    assert end(parent) == 0


def test_workers_do_not_outlive_their_parent() -> None:
    own = "from trunkline.app.workers import end_with; import os, time; end_with(int(os.environ['TRUNKLINE_WORKER_PARENT']))"
    parent = start(f"{own}\nos.write(1, b'%d\\n' % os.getpid())\ntime.sleep(60)")
    lines = read(parent, 2)
    parent.kill()
    parent.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while any(_lives(int(pid)) for pid in lines):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_whose_parent_is_gone_already_ends() -> None:
    program = "from trunkline.app.workers import end_with; end_with(1 << 30)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 1 and "the parent of this worker is gone" in result.stderr


def _lives(pid: int) -> bool:
    """Whether the process runs; a dead one that nobody has waited for does not."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
