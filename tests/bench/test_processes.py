import sys
from pathlib import Path

import pytest
from bench.processes import Missing, NotReady, Process, cpu_seconds, family, free_port, memory_mb, program, split_cores

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SPIN = """import os, time
os.fork()
start = time.process_time()
while time.process_time() - start < 0.1:
    pass
print("spun", flush=True)
time.sleep(60)"""


def test_cpu_and_memory_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    own, _ = split_cores()
    with Process([sys.executable, "-c", SPIN], cores=own, log=tmp_path / "log") as process:
        while (tmp_path / "log").read_text().count("spun") < 2:
            assert process._child.poll() is None, process.log_end()
        assert len(family(process.pid)) == 2
        assert 0.18 <= cpu_seconds(process.pid) < 5
        assert 3 < memory_mb(process.pid) < 60
        tree = family(process.pid)
    assert not Path(f"/proc/{tree[0]}").exists()


def test_a_child_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    own, _ = split_cores()
    child = Process([sys.executable, "-c", "raise SystemExit('no luck')"], cores=own, log=tmp_path / "log")
    with child, pytest.raises(NotReady, match="no luck"):
        child.wait_ready(free_port())


def test_a_missing_program_names_its_package() -> None:
    with pytest.raises(Missing, match="some-package"):
        program("no-such-program", "some-package")
