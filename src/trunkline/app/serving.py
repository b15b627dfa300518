"""`trunkline serve`: from settings to a running server, in one process or several."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from trunkline.accounts.starting_keys import ensure_demo_key
from trunkline.app import banner, environment
from trunkline.app.composition import Gateway
from trunkline.app.server import listen, run
from trunkline.app.workers import Workers, end_with
from trunkline.local.launch import reserve_port
from trunkline.settings import Settings
from trunkline.storage.engines import open_storage

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def serve(settings: Settings, environ: Mapping[str, str], *, demo_key: bool = False) -> int:
    """Serve until told to stop; returns the exit code. Raises ConfigError and OSError for settings that cannot be served."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    inherited = environ.get(environment.SOCKET)
    if inherited is not None:
        end_with(int(environ[environment.PARENT]))
        return _serve_here(settings, environ, socket.socket(fileno=int(inherited)), _report(environ))
    listener = listen(settings.host, settings.port)
    key_file = asyncio.run(_prepare(settings, demo_key))
    announce = _announcement(settings, environ, listener, key_file)
    if settings.workers == 1:
        return _serve_here(settings, environ, listener, announce)
    return _serve_with_workers(settings, environ, listener, announce)


def _serve_here(settings: Settings, environ: Mapping[str, str], listener: socket.socket, ready: Callable[[], None]) -> int:
    place = environment.find_local(settings, environ)
    gateway = Gateway(settings, environ, open_storage(settings, check="none"), place, _origin(settings, listener))
    return run(gateway.application, listener, reload=gateway.reload, ready=ready)


def _serve_with_workers(settings: Settings, environ: Mapping[str, str], listener: socket.socket, ready: Callable[[], None]) -> int:
    place = environment.find_local(settings, environ)
    reserved = {name: reserve_port() for name in (environment.LOCAL_PORT, environment.EMBEDDER_PORT)}
    ports = {name: str(holder.getsockname()[1]) for name, holder in reserved.items()}
    try:
        shared = {**environ, **ports, environment.LOCAL_API_KEY: place.api_key}
        command = [sys.executable, "-m", "trunkline", *sys.argv[1:]]
        return Workers(settings.workers, command, listener, shared, ready).run()
    finally:
        for holder in reserved.values():
            holder.close()


async def _prepare(settings: Settings, demo_key: bool) -> Path | None:
    """Bring the databases up to date, before any worker opens them, and make the demo key when it is wanted."""
    storage = open_storage(settings)
    try:
        return await ensure_demo_key(storage) if demo_key else None
    finally:
        await storage.close()


def _origin(settings: Settings, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _announcement(settings: Settings, environ: Mapping[str, str], listener: socket.socket, key_file: Path | None) -> Callable[[], None]:
    def announce() -> None:
        url = _origin(settings, listener)
        lines = [banner.site_line(url)]
        if key_file is not None:
            secret = key_file.read_text(encoding="ascii").strip() if sys.stdout.isatty() else None
            lines += banner.demo_lines(url, key_file, secret, environment.find_local(settings, environ).off)
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()

    return announce


def _report(environ: Mapping[str, str]) -> Callable[[], None]:
    """A worker of several tells its parent, which announces."""

    def report() -> None:
        pipe = int(environ[environment.READY])
        os.write(pipe, bytes([int(environ[environment.NUMBER])]))
        os.close(pipe)

    return report
