"""A stand-in for the engine: it follows the same launch order and answers /v1/models, so that supervision is tested in milliseconds."""

import sys
from pathlib import Path

import pytest

FAKE_CHILD = """
import socket, sys, threading
from trunkline.local import launch

order = launch.decode(sys.stdin.buffer.readline())
if order.weights == "crash":
    sys.exit("cannot load the model")
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("127.0.0.1", order.port))
listener.listen()

def serve():
    while True:
        connection, _ = listener.accept()
        asked = connection.recv(4096)
        status = b"200 OK" if order.api_key.encode() in asked else b"401 Unauthorized"
        connection.sendall(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 0\\r\\n\\r\\n")
        connection.close()

threading.Thread(target=serve, daemon=True).start()
sys.stdin.buffer.read()
"""


@pytest.fixture
def fake_command(tmp_path: Path) -> tuple[str, ...]:
    """The command line of the stand-in."""
    script = tmp_path / "fake_child.py"
    script.write_text(FAKE_CHILD)
    return (sys.executable, "-P", str(script))
