"""The child's loop, and what it takes from itself."""

import io
import os
import resource
import subprocess
import sys

import msgspec
import pdfs
import pytest

from trunkline.plugins.pdf import child
from trunkline.plugins.pdf.job import Answer, Job, Pages, Pictures, Refused, read_frame


def answers(*files: tuple[bytes, int]) -> list[Answer]:
    """What `serve` says to these files, which wait in a pipe that is then closed."""
    said: list[Answer] = []
    for pdf, pictures in files:
        out = io.BytesIO()
        read, write = os.pipe()
        with os.fdopen(write, "wb") as jobs:
            jobs.write(msgspec.json.encode(Job(len(pdf), pictures)) + b"\n" + pdf)
        with os.fdopen(read, "rb") as jobs:
            child.serve(jobs, out)
        data = out.getvalue()
        while data:
            size = int.from_bytes(data[:4], "big")
            said.append(read_frame(data[4 : 4 + size]))
            data = data[4 + size :]
    return said


def test_text_then_pictures_where_they_are_wanted() -> None:
    assert answers((pdfs.pdf("One"), 0)) == [Pages(("One",))]
    [pages, pictures] = answers((pdfs.scan(count=3), 2))
    assert pages == Pages(("", "", ""), (1, 2, 3))
    assert isinstance(pictures, Pictures) and [one.page for one in pictures.pictures] == [1, 2]
    assert answers((pdfs.pdf("One"), 8)) == [Pages(("One",)), Pictures()]


def test_a_file_that_cannot_be_read_gets_its_reason() -> None:
    assert answers((b"no", 8)) == [Refused("damaged")]


def test_memory_that_runs_out_is_a_reason_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Greedy:
        def __init__(self, _pdf: bytes) -> None:
            raise MemoryError

    monkeypatch.setattr(child, "Reader", Greedy)
    assert answers((b"x", 0)) == [Refused("memory")]


def test_memory_that_runs_out_while_drawing_costs_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    class Draws:
        def __init__(self, _pdf: bytes) -> None:
            self.pages = lambda: Pages(("",), (1,))

        def pictures(self, _numbers: object) -> object:
            raise MemoryError

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(child, "Reader", Draws)
    assert answers((b"x", 8)) == [Pages(("",), (1,)), Pictures()]


def test_without_work_it_leaves() -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as jobs, os.fdopen(write, "wb"):
        child.serve(jobs, io.BytesIO(), idle_seconds=0.01)


def test_it_limits_itself() -> None:
    code = (
        "import resource; from trunkline.plugins.pdf.child import limit_itself; limit_itself()\n"
        "print(*[resource.getrlimit(one)[0] for one in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [int(one) for one in said] == [child.MEMORY_BYTES, 0, 0]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0


def test_it_ends_when_its_gateway_is_another_process() -> None:
    done = subprocess.run([sys.executable, "-P", "-m", "trunkline.plugins.pdf.child", "1"], stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1
