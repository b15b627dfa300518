"""The child that reads PDFs: real files, and everything that can go wrong with it."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pdfs
import pytest

from trunkline.plugins.pdf.job import Unreadable
from trunkline.plugins.pdf.parser import Parsed, PdfParser


def run(scene: Callable[[PdfParser], Awaitable[None]], **options: object) -> None:
    """A scene with a parser of its own, which is closed after it."""

    async def all_of_it() -> None:
        parser = PdfParser(os.environ, **options)  # type: ignore[arg-type]
        try:
            async with asyncio.timeout(60):
                await scene(parser)
        finally:
            await parser.close()

    asyncio.run(all_of_it())


def child(tmp_path: Path, code: str) -> list[str]:
    """The command of a child that runs this code after it has read its job; `say` writes a frame."""
    path = tmp_path / "child.py"
    path.write_text(
        "import sys, time, os, signal, msgspec\n"
        "from trunkline.plugins.pdf.job import *\n"
        "def say(answer):\n    sys.stdout.buffer.write(frame(answer)); sys.stdout.buffer.flush()\n"
        "while line := sys.stdin.buffer.readline():\n"
        "    pdf = sys.stdin.buffer.read(msgspec.json.decode(line, type=Job).size)\n" + "".join(f"    {one}\n" for one in code.split("\n"))
    )
    return [sys.executable, "-P", str(path)]


async def reason(parser: PdfParser, pdf: bytes, *, pictures: int = 0) -> str:
    with pytest.raises(Unreadable) as told:
        await parser.parse(pdf, pictures=pictures)
    return told.value.reason


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_pages_in_order_by_one_child_that_starts_with_the_first_file() -> None:
    async def scene(parser: PdfParser) -> None:
        assert parser.pid is None
        assert await parser.parse(pdfs.pdf("Hello world", "Second (page)\nwith two lines")) == Parsed(
            ("Hello world", "Second (page)\nwith two lines")
        )
        first = parser.pid
        assert await parser.parse(pdfs.pdf("Again")) == Parsed(("Again",))
        assert parser.pid == first

    run(scene)


def test_pages_without_text_are_drawn_up_to_the_limit() -> None:
    async def scene(parser: PdfParser) -> None:
        parsed = await parser.parse(pdfs.scan(count=10), pictures=8)
        assert parsed.pages == ("",) * 10
        assert [one.page for one in parsed.pictures] == list(range(1, 9))
        assert all(one.png.startswith(b"\x89PNG") for one in parsed.pictures)
        assert (await parser.parse(pdfs.scan(), pictures=0)).pictures == ()

    run(scene)


def test_files_that_cannot_be_read_say_why_and_leave_the_child_alone() -> None:
    async def scene(parser: PdfParser) -> None:
        assert await reason(parser, b"no pdf") == "damaged"
        assert await reason(parser, b"") == "damaged"
        assert await reason(parser, pdfs.encrypted()) == "encrypted"
        assert await reason(parser, pdfs.pdf(*["x"] * 10_000)) == "pages"
        first = parser.pid
        assert (await parser.parse(pdfs.pdf("fine"))).pages == ("fine",)
        assert parser.pid == first

    run(scene)


def test_a_file_above_the_limit_is_not_sent_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trunkline.plugins.pdf.parser.MAX_BYTES", 10)

    async def scene(parser: PdfParser) -> None:
        assert await reason(parser, pdfs.pdf("x")) == "bytes"
        assert parser.pid is None

    run(scene)


def test_an_image_too_large_to_draw_costs_only_its_picture() -> None:
    async def scene(parser: PdfParser) -> None:
        assert await parser.parse(pdfs.huge_scan(), pictures=8) == Parsed(("",))
        assert await parser.parse(pdfs.pdf("next")) == Parsed(("next",))

    run(scene)


def test_a_bomb_that_unpacks_to_more_than_the_child_may_have_kills_only_the_child() -> None:
    async def scene(parser: PdfParser) -> None:
        assert await reason(parser, pdfs.flate_bomb()) in ("crashed", "memory", "damaged")
        assert (await parser.parse(pdfs.pdf("next"))).pages == ("next",)

    run(scene)


def test_a_child_killed_in_the_middle_of_a_file_is_replaced() -> None:
    async def scene(parser: PdfParser) -> None:
        await parser.parse(pdfs.pdf("warm"))
        first = parser.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        task = asyncio.get_running_loop().create_task(reason(parser, pdfs.pdf("x")))
        await asyncio.sleep(0)
        os.kill(first, signal.SIGKILL)
        assert await task == "crashed"
        assert (await parser.parse(pdfs.pdf("next"))).pages == ("next",)
        assert parser.pid not in (None, first)
        assert not alive(first)

    run(scene)


def test_a_child_that_hangs_is_killed_and_replaced() -> None:
    async def scene(parser: PdfParser) -> None:
        await parser.parse(pdfs.pdf("warm"))
        first = parser.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        parser.seconds = 0.1
        assert await reason(parser, pdfs.pdf("x")) == "time"
        assert not alive(first)
        parser.seconds = 60
        assert (await parser.parse(pdfs.pdf("next"))).pages == ("next",)

    run(scene)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed"),
        ("sys.exit(3)", "crashed"),
        ("sys.exit(0)", "crashed"),
        ("sys.stdout.buffer.write(b'\\xff\\xff\\xff\\xff'); sys.stdout.buffer.flush()", "crashed"),
        ("sys.stdout.buffer.write(b'\\0\\0\\0\\1\\xc1'); sys.stdout.buffer.flush()", "crashed"),
        ("say(Pictures(()))", "crashed"),
        ("say(Refused('text'))", "text"),
    ],
)
def test_whatever_a_child_does_has_a_reason(tmp_path: Path, code: str, told: str) -> None:
    async def scene(parser: PdfParser) -> None:
        assert await reason(parser, b"x", pictures=1) == told

    run(scene, command=child(tmp_path, code))


@pytest.mark.parametrize(
    "code",
    [
        "say(Pages(('text',), (1,)))\nos.kill(os.getpid(), signal.SIGKILL)",
        "say(Pages(('text',), (1,)))\nsay(Refused('memory'))",
        "say(Pages(('text',), (1,)))\ntime.sleep(600)",
    ],
)
def test_text_survives_what_happens_to_pictures(tmp_path: Path, code: str) -> None:
    async def scene(parser: PdfParser) -> None:
        assert await parser.parse(b"x", pictures=8) == Parsed(("text",))

    run(scene, command=child(tmp_path, code), picture_seconds=0.5)


def test_a_child_that_cannot_be_started_is_told_as_one_that_broke() -> None:
    async def scene(parser: PdfParser) -> None:
        assert await reason(parser, b"x") == "crashed"
        assert parser.pid is None

    run(scene, command=["/nowhere/python"])


def test_a_child_that_left_for_want_of_work_costs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "left"
    code = f"gone = os.path.exists({str(mark)!r})\nopen({str(mark)!r}, 'w').close()\nif not gone: os._exit(0)\nsay(Pages(('here',)))"

    async def scene(parser: PdfParser) -> None:
        assert (await parser.parse(b"x")).pages == ("here",)

    run(scene, command=child(tmp_path, code))


def test_a_caller_who_leaves_takes_the_child_with_it_since_nobody_reads_its_answer() -> None:
    async def scene(parser: PdfParser) -> None:
        await parser.parse(pdfs.pdf("warm"))
        first = parser.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        task = asyncio.get_running_loop().create_task(parser.parse(pdfs.pdf("x")))
        while task.get_coro().cr_await is None:  # type: ignore[union-attr]
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not alive(first)
        assert (await parser.parse(pdfs.pdf("next"))).pages == ("next",)

    run(scene)


def test_files_wait_for_their_turn_and_only_so_many(tmp_path: Path) -> None:
    code = "time.sleep(0.2)\nsay(Pages((pdf.decode(),)))"

    async def scene(parser: PdfParser) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(parser.parse(name)) for name in (b"a", b"b")]
            await asyncio.sleep(0)
            assert await reason(parser, b"c") == "busy"
        assert [task.result().pages for task in tasks] == [("a",), ("b",)]
        assert (await parser.parse(b"d")).pages == ("d",)

    run(scene, command=child(tmp_path, code), waiting=2)


def test_the_child_sees_no_secret() -> None:
    async def scene(parser: PdfParser) -> None:
        await parser.parse(pdfs.pdf("x"))
        assert b"TRUNKLINE_TEST_SECRET" not in Path(f"/proc/{parser.pid}/environ").read_bytes()

    os.environ["TRUNKLINE_TEST_SECRET"] = "x"
    try:
        run(scene)
    finally:
        del os.environ["TRUNKLINE_TEST_SECRET"]


def test_closing_ends_the_child() -> None:
    pids: list[int] = []

    async def scene(parser: PdfParser) -> None:
        await parser.parse(pdfs.pdf("x"))
        assert parser.pid is not None
        pids.append(parser.pid)

    run(scene)
    assert not alive(pids[0])
