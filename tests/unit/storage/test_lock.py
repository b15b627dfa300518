import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trunkline.errors import ConfigError
from trunkline.storage.lock import FolderLock, one_at_a_time


def test_many_may_share_and_nobody_is_alone_meanwhile(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.release()
    with pytest.raises(ConfigError, match="in use by a running server"):
        FolderLock(tmp_path, alone=True)
    second.release()
    second.release()
    alone = FolderLock(tmp_path, alone=True)
    with pytest.raises(ConfigError, match="being restored"):
        FolderLock(tmp_path)
    alone.release()


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    code = f"import os, pathlib; from trunkline.storage.lock import FolderLock; FolderLock(pathlib.Path({str(tmp_path)!r})); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    FolderLock(tmp_path, alone=True).release()


def test_starts_wait_for_each_other(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def start() -> None:
        with one_at_a_time(tmp_path):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]
