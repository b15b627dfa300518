"""`trunkline serve` as a person starts it: a process, or several."""

import http.client
import signal
import socket
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from clients import until
from gateway import Gateway

from trunkline import settings
from trunkline.app import serving


def health(url: str) -> int:
    """The status of GET /health."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        connection.request("GET", "/health")
        return connection.getresponse().status


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_answers_when_it_says_so_and_ends_with_0(workers: str, tmp_path: Path) -> None:
    with Gateway(tmp_path, arguments=("--workers", workers, "--demo-key")) as running:
        assert health(running.url) == 200
        running.signal(signal.SIGHUP)
        until(lambda: any("the configuration is reloaded" in line for line in running.log))
        assert health(running.url) == 200
        assert running.stop() == 0
    assert (tmp_path / "demo-key").is_file()
    assert "Traceback" not in "".join(running.log)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with Gateway(tmp_path, arguments=("--workers", "2")) as running:
        address = urlsplit(running.url).hostname, urlsplit(running.url).port
        running.kill()
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(address, timeout=1).close()
            except OSError:
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_links_are_made_from_the_public_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert serving._origin(settings.load({}, {}), listener) == f"http://127.0.0.1:{port}"
        public = settings.load({}, {"TRUNKLINE_PUBLIC_URL": "https://gateway.example.com"})
        assert serving._origin(public, listener) == "https://gateway.example.com"
