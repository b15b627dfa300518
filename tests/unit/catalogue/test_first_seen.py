from pathlib import Path

from trunkline.catalogue.first_seen import FirstSeen


def test_the_first_date_stays(tmp_path: Path) -> None:
    path = tmp_path / "first-seen.json"
    assert FirstSeen(path, lambda: 100.9)("acme/echo-1") == 100
    later = FirstSeen(path, lambda: 200.0)
    assert later("acme/echo-1") == 100
    assert later("acme/echo-2") == 200
    assert FirstSeen(path, lambda: 300.0)("acme/echo-2") == 200
    assert [entry.name for entry in tmp_path.iterdir()] == ["first-seen.json"]


def test_another_worker_that_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "first-seen.json"
    one, two = FirstSeen(path, lambda: 1.0), FirstSeen(path, lambda: 2.0)
    assert one("acme/a") == 1
    assert two("acme/b") == 2
    assert FirstSeen(path, lambda: 3.0)("acme/a") == 1


def test_a_broken_file_counts_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "first-seen.json"
    path.write_text("[1, 2")
    assert FirstSeen(path, lambda: 5.0)("acme/a") == 5
    assert FirstSeen(path, lambda: 6.0)("acme/a") == 5


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    assert FirstSeen(tmp_path / "absent" / "first-seen.json", lambda: 7.0)("acme/a") == 7
