"""The gateway's side of the PDF engine: one child, started at the first file, killed and replaced when it hangs or crashes."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from trunkline.local.launch import child_environment
from trunkline.plugins.pdf.job import MAX_BYTES, MAX_FRAME, Answer, Job, Pages, Picture, Pictures, Refused, Unreadable, read_frame

COMMAND: Final = (sys.executable, "-P", "-m", "trunkline.plugins.pdf.child")
"""What is started; the gateway's process id follows."""
SECONDS: Final = 30.0
PICTURE_SECONDS: Final = 10.0
"""How long the text of one file may take, and how long its pictures after that."""
MAX_WAITING: Final = 16
"""Files that wait for their turn at most."""

_LAST_WORDS_SECONDS: Final = 1.0
_BROKEN: Final = (OSError, EOFError, msgspec.MsgspecError)
"""How a child that hangs (TimeoutError), has died, or talks nonsense shows."""


class Parsed(Struct, frozen=True):
    """What was found in a file: the text of each page, and pictures of pages without text."""

    pages: tuple[str, ...]
    pictures: tuple[Picture, ...] = ()


class PdfParser:
    """Reads PDFs, one at a time."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        command: Sequence[str] = COMMAND,
        seconds: float = SECONDS,
        picture_seconds: float = PICTURE_SECONDS,
        waiting: int = MAX_WAITING,
    ) -> None:
        self._environ = child_environment(environ)
        self._command = command
        self.seconds = seconds
        self._picture_seconds = picture_seconds
        self._room = waiting
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        return None if self._process is None else self._process.pid

    async def parse(self, pdf: bytes, *, pictures: int = 0) -> Parsed:
        """The text of a file, with at most so many pictures of pages without text. Raises Unreadable."""
        if len(pdf) > MAX_BYTES:
            raise Unreadable("bytes")
        if self._room == 0:
            raise Unreadable("busy")
        self._room -= 1
        try:
            async with self._turn:
                return await self._read(pdf, pictures)
        finally:
            self._room += 1

    async def close(self) -> None:
        """End the child."""
        await self._kill()

    async def _read(self, pdf: bytes, pictures: int, *, again: bool = True) -> Parsed:
        try:
            process = await self._running()
        except OSError:
            raise Unreadable("crashed") from None
        order = b"%b\n%b" % (msgspec.json.encode(Job(len(pdf), pictures)), pdf)
        try:
            pages = await self._answered(process, order, self.seconds)
        except TimeoutError:
            await self._kill()
            raise Unreadable("time") from None
        except _BROKEN:
            if await self._ended_by_itself(process) and again:
                return await self._read(pdf, pictures, again=False)
            raise Unreadable("crashed") from None
        except asyncio.CancelledError:
            await self._kill()
            raise
        if isinstance(pages, Refused):
            raise Unreadable(pages.reason)
        if not isinstance(pages, Pages):
            await self._kill()
            raise Unreadable("crashed")
        return Parsed(pages.texts, await self._pictures(process) if pictures else ())

    async def _ended_by_itself(self, process: Process) -> bool:
        """Whether the child left for want of work just when some came; what it was is gone in any case."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await process.wait()
        await self._kill()
        return process.returncode == 0

    async def _pictures(self, process: Process) -> tuple[Picture, ...]:
        """What the child drew; nothing when it failed at that: the text is there."""
        try:
            drawn = await self._answered(process, b"", self._picture_seconds)
        except _BROKEN:
            await self._kill()
            return ()
        except asyncio.CancelledError:
            await self._kill()
            raise
        return drawn.pictures if isinstance(drawn, Pictures) else ()

    async def _answered(self, process: Process, order: bytes, seconds: float) -> Answer:
        """Give an order and read one frame. Raises TimeoutError (an OSError) when that takes too long."""
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101 - both were asked for
        async with asyncio.timeout(seconds):
            if order:
                stdin.write(order)
                await stdin.drain()
            size = int.from_bytes(await stdout.readexactly(4), "big")
            if size > MAX_FRAME:
                raise EOFError
            return read_frame(await stdout.readexactly(size))

    async def _running(self) -> Process:
        """The child, started where there is none or the last one has ended (it does when it has nothing to do)."""
        if self._process is not None and self._process.returncode is not None:
            await self._kill()
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                str(os.getpid()),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=self._environ,
                start_new_session=True,  # a Ctrl-C in the terminal is the gateway's to handle
            )
        return self._process

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
