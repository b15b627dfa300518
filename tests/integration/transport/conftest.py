"""Real servers on loopback: nginx in a directory of its own, uvicorn and aiohttp in threads."""

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from aiohttp import web
from authority import Certificate, make_certificate

from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard
from trunkline.transport.tls import open_context

EVENT = b"x" * 1_000_000
_NGINX = """
daemon off; worker_processes 1; pid {prefix}/nginx.pid; error_log {prefix}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; default_type application/json; keepalive_timeout 60s; keepalive_requests 100000;
  client_body_temp_path {prefix}/b; proxy_temp_path {prefix}/p; fastcgi_temp_path {prefix}/f;
  uwsgi_temp_path {prefix}/u; scgi_temp_path {prefix}/s;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {tls.cert_file}; ssl_certificate_key {tls.key_file}; ssl_session_cache shared:x:1m;
    root {prefix}/html; client_max_body_size 64k;
    location = /ok {{ return 200 '{{"ok":true}}'; }}
    location = /moved {{ return 301 /ok; }}
    location = /inside {{ return 302 http://127.0.0.1:$arg_port/secret; }}
    location = /event {{ default_type text/event-stream; alias {prefix}/html/event.txt; gzip off; }}
    location = /packed {{ default_type text/event-stream; alias {prefix}/html/event.txt; gzip on; gzip_types *; }}
    location = /empty {{ return 204; }}
    location = /reused {{ return 200 '$ssl_session_reused $connection_requests'; }}
    location = /text.txt {{ gzip on; gzip_types text/plain; gzip_min_length 1; default_type text/plain; }}
    location = /slow.bin {{ limit_rate 100k; }}
    location = /upload {{ proxy_pass http://127.0.0.1:{port}/ok; }}
  }}
  server {{
    listen 127.0.0.1:{short_port}; keepalive_timeout 2s; keepalive_requests 3;
    location / {{ return 200 '$connection_requests'; }}
  }}
}}
"""


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in opened:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in opened]


def _wait_for(port: int) -> None:
    for _ in range(3000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}")


class Nginx:
    """A running nginx, which shows this certificate."""

    def __init__(self, prefix: Path, certificate: Certificate) -> None:
        self.port, self.tls_port, self.short_port = _free_ports(3)
        self.ca_file = certificate.ca_file
        html = prefix / "html"
        html.mkdir()
        (html / "text.txt").write_bytes(b"to be packed\n" * 5000)
        (html / "slow.bin").write_bytes(bytes(5_000_000))
        (html / "big.bin").write_bytes(os.urandom(1_000_000) * 8)
        (html / "event.txt").write_bytes(b"data: %b\n\ndata: [DONE]\n\n" % EVENT)
        for path in (prefix, html, *html.iterdir()):
            path.chmod(0o755)
        conf = prefix / "nginx.conf"
        ports = {"port": self.port, "tls_port": self.tls_port, "short_port": self.short_port}
        conf.write_text(_NGINX.format(prefix=prefix, tls=certificate, **ports))
        self.big = (html / "big.bin").read_bytes()
        self.process = subprocess.Popen(
            [shutil.which("nginx"), "-p", str(prefix), "-c", str(conf), "-g", "master_process off;"], stderr=subprocess.DEVNULL
        )
        _wait_for(self.short_port)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def nginx_server(tmp_path: Path) -> Iterator[Callable[[Certificate], Nginx]]:
    """`nginx_server(certificate)` starts an nginx."""
    if shutil.which("nginx") is None:
        reason = "nginx is not installed (apt-get install nginx-light)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    running: list[Nginx] = []

    def start(certificate: Certificate) -> Nginx:
        running.append(Nginx(tmp_path, certificate))
        return running[-1]

    yield start
    for server in running:
        server.kill()


@pytest.fixture
def nginx(tmp_path: Path, nginx_server: Callable[[Certificate], Nginx]) -> Nginx:
    return nginx_server(make_certificate(tmp_path))


@pytest.fixture
def uvicorn_server() -> Iterator[Callable[..., int]]:
    """`uvicorn_server(app, **options)` serves in a thread and returns its port."""
    stops: list[Callable[[], None]] = []

    def start(app: Any, **options: Any) -> int:
        port = _free_ports(1)[0]
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", lifespan="off", **options))
        thread = threading.Thread(target=server.run)
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join()

        stops.append(stop)
        _wait_for(port)
        return port

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def aiohttp_server() -> Iterator[Callable[..., int]]:
    """`aiohttp_server(handler, certificate)` serves every path in a thread, with TLS if there is a certificate, and returns its port."""
    stops: list[Callable[[], None]] = []

    def start(handler: Any, certificate: Certificate | None = None) -> int:
        context = None
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate.cert_file, certificate.key_file)
        port = _free_ports(1)[0]
        loop = asyncio.new_event_loop()
        ended = asyncio.Event()

        async def serve() -> None:
            app = web.Application()
            app.router.add_route("*", "/{tail:.*}", handler)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
            await ended.wait()
            await runner.cleanup()

        def run() -> None:
            loop.run_until_complete(serve())
            loop.close()

        thread = threading.Thread(target=run)
        thread.start()

        def stop() -> None:
            loop.call_soon_threadsafe(ended.set)
            thread.join()

        stops.append(stop)
        _wait_for(port)
        return port

    yield start
    for stop in stops:
        stop()


@pytest.fixture(params=["asyncio", "uvloop"])
def with_client(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`with_client(conversation, ca_file=...)` runs `await conversation(client)` on each event loop and closes the client."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run(conversation: Any, *, ca_file: str | None = None) -> Any:
        async def main() -> Any:
            client = Client(EgressGuard(), ssl_context=open_context(ca_file=ca_file) if ca_file else None)
            try:
                async with asyncio.timeout(60):
                    return await conversation(client)
            finally:
                await client.close()
                assert client.stats().open == 0

        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(main())

    return run
