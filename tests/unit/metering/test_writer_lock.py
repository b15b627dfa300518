import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from trunkline.metering.writer_lock import LOCK_FILE, WriterLock

HOLDER = """
import sys, time
from pathlib import Path
from trunkline.metering.writer_lock import WriterLock
assert WriterLock(Path(sys.argv[1])).take()
print("held", flush=True)
time.sleep(60)
"""


def test_one_has_it_until_it_is_released(tmp_path: Path) -> None:
    one, other = WriterLock(tmp_path), WriterLock(tmp_path)
    assert one.take()
    assert one.take()
    assert not other.take()
    one.release()
    one.release()
    assert other.take()
    assert not one.take()
    one.release()
    other.release()
    assert stat.S_IMODE((tmp_path / LOCK_FILE).stat().st_mode) == 0o600


def test_a_killed_holder_has_it_no_more(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path)
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert not lock.take()
        holder.kill()
    assert lock.take()
    lock.release()


def test_others_read_where_the_desk_is(tmp_path: Path) -> None:
    holder, other = WriterLock(tmp_path), WriterLock(tmp_path)
    assert holder.take()
    with pytest.raises(FileNotFoundError):
        other.desk()
    first, second = holder.new_desk(), holder.new_desk()
    assert first != second and first.parent == tmp_path
    holder.announce(first)
    assert other.desk() == first
    holder.announce(second)
    assert other.desk() == second
    holder.release()
    other.release()


def test_the_next_holder_clears_the_last_ones_desk_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the whole path may be too long for a socket
    lock, other = WriterLock(tmp_path), WriterLock(tmp_path)
    desk = lock.new_desk()
    lock.announce(desk)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(desk.name)
        assert desk.exists()
    assert other.take()
    assert not desk.exists()
    other.release()
    lock.release()


@pytest.mark.parametrize("written", ["control.db", "../control.db", "/etc/passwd", "\xff\n", "x" * 300, "."])
def test_a_damaged_file_removes_nothing_and_leads_nowhere_else(tmp_path: Path, written: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for path in (folder / "control.db", tmp_path / "control.db"):
        path.write_text("precious")
    (folder / LOCK_FILE).write_bytes(written.encode("latin-1"))
    lock = WriterLock(folder)
    assert lock.take()
    assert lock.desk().parent in (folder, folder.parent) and lock.desk().parent != Path("/etc")
    assert (folder / "control.db").exists() and (tmp_path / "control.db").exists()
    lock.release()


def test_without_the_folder_it_is_an_oserror(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        lock.take()
    with pytest.raises(FileNotFoundError):
        lock.desk()
    lock.release()
