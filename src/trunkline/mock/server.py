"""`trunkline mock`: a script, its fleet, and a signal to stop."""

import asyncio
import signal
import sys
from pathlib import Path

from trunkline.mock import script
from trunkline.mock.fleet import Fleet
from trunkline.mock.listener import MockListener
from trunkline.mock.script import Script


async def serve(host: str, port: int, given: Script) -> None:
    """Runs the script and its fleet until SIGINT or SIGTERM."""
    listener = MockListener(given, host=host, port=port)
    fleet = Fleet(given.fleet, host=host)
    await listener.open()
    await fleet.open()
    lines = [f"The mock upstream listens on http://{host}:{listener.port}/v1 (what it saw: /_mock/seen)"]
    lines += [f"{name}: http://{host}:{member.port}/v1" for name, member in fleet.listeners.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        listener.loop.add_signal_handler(number, stop.set)
    await stop.wait()
    await listener.close()
    await fleet.close()


def main(host: str, port: int, path: Path | None) -> None:
    """`trunkline mock`: serves the script of `path`, or the echo without one. Raises ConfigError for a script that cannot be read."""
    asyncio.run(serve(host, port, script.load(path) if path is not None else Script()))
