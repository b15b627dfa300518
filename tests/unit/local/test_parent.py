"""A child ends with its parent."""

import os
import subprocess
import sys

import pytest

CHILD = "import os, sys; from trunkline.local.parent import die_with; die_with(int(sys.argv[1])); print('lives')"


def run(parent: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CHILD, str(parent)], capture_output=True, text=True, check=False)


def test_the_child_of_its_parent_lives() -> None:
    assert run(os.getpid()).stdout == "lives\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_an_orphan_ends_at_once() -> None:
    done = run(1 if os.getppid() != 1 else 2)
    assert (done.returncode, done.stdout) == (1, "")
