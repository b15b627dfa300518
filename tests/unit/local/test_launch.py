import socket
from pathlib import Path

import msgspec
import pytest

from trunkline.local import launch

ORDER = launch.LaunchOrder(weights="/w/a.gguf", port=4321, api_key="k" * 64, parent=7)


def test_an_order_survives_the_pipe_as_one_line() -> None:
    line = launch.encode(ORDER)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert launch.decode(line) == ORDER


def test_anything_else_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        launch.decode(b"")


def test_keys_are_long_and_never_the_same() -> None:
    keys = {launch.new_api_key() for _ in range(50)}
    assert len(keys) == 50 and all(len(key) == 64 for key in keys)


def test_a_reserved_port_is_refused_to_strangers_and_to_clients_but_open_to_the_child() -> None:
    with launch.reserve_port() as holder:
        address = holder.getsockname()
        with socket.socket() as stranger, pytest.raises(OSError):
            stranger.bind(address)
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(address)
        with socket.socket() as child:
            child.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            child.bind(address)
            child.listen()
            with socket.create_connection(address, timeout=30):
                pass


def test_the_child_sees_no_secret() -> None:
    environ = {"PATH": "/bin", "OPENAI_API_KEY": "sk", "TRUNKLINE_DATABASE_URL": "secret", "HOME": "/h"}
    assert launch.child_environment(environ) == {"PATH": "/bin", "HOME": "/h"}


def test_the_engine_leaves_room_for_the_gateway() -> None:
    assert 1 <= launch.default_threads() <= 2


def test_the_log_lies_in_the_folder(tmp_path: Path) -> None:
    assert launch.log_path(tmp_path).parent == tmp_path
