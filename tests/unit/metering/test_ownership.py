import subprocess
import sys
from pathlib import Path

from trunkline.metering.ownership import claim, claim_new, owners

CHILD = """
import sys
from pathlib import Path
from trunkline.metering.ownership import claim
held = claim(Path(sys.argv[1]), "w-1")
print("held" if held else "refused", flush=True)
sys.stdin.read()
"""


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    first = claim(tmp_path, "w-1")
    assert first is not None
    assert claim(tmp_path, "w-1") is None
    first.release(remove=False)
    first.release(remove=False)
    second = claim(tmp_path, "w-1")
    assert second is not None
    second.release(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_another_process_holds_its_lock_until_it_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert claim(tmp_path, "w-1") is None
        child.kill()
        child.wait()
    taken = claim(tmp_path, "w-1")
    assert taken is not None
    taken.release(remove=True)


def test_a_name_is_the_worker_and_something_new(tmp_path: Path) -> None:
    first, second = claim_new(tmp_path, "worker-7"), claim_new(tmp_path, "worker-7")
    assert first.owner != second.owner
    assert first.worker_id == second.worker_id == "worker-7"
    (tmp_path / "dead-00.00000001.seg").touch()
    assert owners(tmp_path) == sorted([first.owner, second.owner, "dead-00"])
    first.release(remove=True)
    second.release(remove=True)


def test_a_lock_file_removed_meanwhile_is_no_ownership(tmp_path: Path, monkeypatch) -> None:
    import fcntl

    real = fcntl.flock

    def remove_then_lock(descriptor: int, operation: int) -> None:
        (tmp_path / "w-1.lock").unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_then_lock)
    assert claim(tmp_path, "w-1") is None
