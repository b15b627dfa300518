"""Files that a caller names by URL and the upstream wants as bytes: what the guard refuses, in each client dialect.

The gateway stands inside the network, where callers must not look round through it.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from clients import call
from gateway import Gateway
from heard import PATHS
from polyglot import name_of, polyglot

from trunkline.mock.thread import MockServer

INSIDE = ("http://127.0.0.1:{port}/secret.png", "http://localhost:{port}/secret.png", "http://[::ffff:127.0.0.1]:{port}/secret.png")
NOWHERE = (
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/a.png",
    "http://[fd00:ec2::254]/a.png",
    "http://0x7f000001:{port}/a.png",
)


class Inside(ThreadingHTTPServer):
    """A server of the network that holds a secret, and counts who asks."""

    daemon_threads = True
    asked = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Inside)
        self.server.asked += 1
        self.send_response(200)
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"secret")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    server = Inside(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def talker() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture(scope="module")
def loading(talker: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("media"), polyglot(talker.origin)) as running:
        yield running
        assert not [line for line in running.log if "Traceback" in line], "".join(running.log)


def picture(skin: str, url: str, dialect: str = "gemini") -> dict[str, object]:
    """A request with a picture, in a client dialect, for a model whose upstream loads nothing itself."""
    blocks: dict[str, object] = {
        "chat": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]},
        "messages": {
            "max_tokens": 9,
            "messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": url}}]}],
        },
        "responses": {"input": [{"role": "user", "content": [{"type": "input_image", "detail": "auto", "image_url": url}]}]},
    }[skin]
    return {"model": name_of(dialect), **blocks}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("skin", PATHS)
@pytest.mark.parametrize("url", [*INSIDE, *NOWHERE])
def test_no_caller_looks_inside(loading: Gateway, talker: MockServer, inside: Inside, skin: str, url: str, streamed: bool) -> None:
    talker.reset()
    body = {**picture(skin, url.format(port=inside.server_port)), "stream": streamed}
    answer = call(loading, "POST", PATHS[skin], json.dumps(body).encode())
    assert answer.status == 400, answer.body
    assert answer.json["error"]["message"]
    assert b"secret" not in answer.body.replace(b"secret.png", b"")
    assert inside.asked == 0
    assert talker.seen() == ()


@pytest.mark.parametrize("dialect", ["gemini", "converse"])
@pytest.mark.parametrize("skin", PATHS)
@pytest.mark.parametrize("url", ["http://", "https://host:99999/a", "https://user@:80/a", "http://[::1"])
def test_what_is_no_address_is_refused(loading: Gateway, talker: MockServer, skin: str, url: str, dialect: str) -> None:
    talker.reset()
    answer = call(loading, "POST", PATHS[skin], json.dumps(picture(skin, url, dialect)).encode())
    assert answer.status == 400, answer.body
    assert answer.json["error"]["message"]
    assert talker.seen() == ()


@pytest.mark.parametrize("skin", PATHS)
@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1:{port}/a.png", "ftp://127.0.0.1:{port}/a.png"])
def test_other_schemes_are_names_for_the_upstream(loading: Gateway, talker: MockServer, inside: Inside, skin: str, url: str) -> None:
    """Such as Google's `gs:`. The gateway loads none of them."""
    talker.reset()
    address = url.format(port=inside.server_port)
    answer = call(loading, "POST", PATHS[skin], json.dumps(picture(skin, address)).encode())
    assert answer.status == 200, answer.body
    assert inside.asked == 0
    assert address in json.dumps(talker.seen()[-1].json())
