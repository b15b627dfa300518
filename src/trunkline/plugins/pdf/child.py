"""The main of the process that reads PDFs: it takes jobs from standard input and answers on standard output, until either ends.

It limits itself before it touches a file: memory, no new files, few descriptors, no core dump. Time is the gateway's to watch. Without a
job for a while it ends by itself, so that no memory is held for files that do not come.
"""

import os
import resource
import select
import sys
from typing import BinaryIO, Final

import msgspec

from trunkline.local.parent import die_with
from trunkline.plugins.pdf.job import Answer, Job, Pictures, Refused, Unreadable, frame
from trunkline.plugins.pdf.reader import Reader

MEMORY_BYTES: Final = 1 << 30
IDLE_SECONDS: Final = 300.0
_LIMITS: Final = (
    (resource.RLIMIT_AS, MEMORY_BYTES),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 32),
)


def limit_itself() -> None:
    """Take from this process what reading a file does not need (setrlimit(2))."""
    for which, most in _LIMITS:
        _, hard = resource.getrlimit(which)
        resource.setrlimit(which, (most, most) if hard == resource.RLIM_INFINITY or hard > most else (hard, hard))


def serve(jobs: BinaryIO, answers: BinaryIO, *, idle_seconds: float = IDLE_SECONDS) -> None:
    """Answer jobs until there are no more, or none comes for `idle_seconds`. A job is asked for only after the answer to the last, so
    nothing waits in the buffer of `jobs` while the descriptor is looked at."""
    while select.select([jobs], [], [], idle_seconds)[0] and (line := jobs.readline()):
        job = msgspec.json.decode(line, type=Job)
        _answer(job, jobs.read(job.size), answers)


def _answer(job: Job, pdf: bytes, answers: BinaryIO) -> None:
    """Text goes out before pictures are drawn: those are worth no file."""
    try:
        reader = Reader(pdf)
        try:
            pages = reader.pages()
            _say(pages, answers)
            if job.pictures:
                _say(_pictures(reader, pages.bare[: job.pictures]), answers)
        finally:
            reader.close()
    except Unreadable as error:
        _say(Refused(error.reason), answers)
    except MemoryError:
        _say(Refused("memory"), answers)


def _pictures(reader: Reader, numbers: tuple[int, ...]) -> Pictures:
    try:
        return Pictures(reader.pictures(numbers))
    except MemoryError:
        return Pictures()


def _say(answer: Answer, answers: BinaryIO) -> None:
    answers.write(frame(answer))
    answers.flush()


def main() -> None:
    """Serve the gateway whose process id is the first argument."""
    die_with(int(sys.argv[1]))
    limit_itself()
    serve(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)


if __name__ == "__main__":
    main()
