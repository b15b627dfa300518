"""What the gateway tells its child: one line of JSON on the child's standard input, so that no key shows in a process list or
environment.
"""

import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

HOST = "127.0.0.1"
MODEL_ALIAS = "smollm2-135m"
"""The name under which the child serves its model: the local endpoint's `upstream_model`."""
CONTEXT_TOKENS = 4096
"""Prompt and answer of one request together, in tokens."""
SLOTS = 2
"""Requests that the child works on at the same time; more wait in its queue."""
_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")


class LaunchOrder(Struct, frozen=True, kw_only=True):
    """How to run the model. `parent` is the process id of the gateway's worker: the child ends when it is no longer its parent."""

    weights: str
    port: int
    api_key: str
    parent: int
    alias: str = MODEL_ALIAS
    context_tokens: int = CONTEXT_TOKENS
    slots: int = SLOTS
    threads: int = 2


def encode(order: LaunchOrder) -> bytes:
    """The order as one line."""
    return msgspec.json.encode(order) + b"\n"


def decode(line: bytes) -> LaunchOrder:
    """The order of a line. Raises msgspec.DecodeError for anything else."""
    return msgspec.json.decode(line, type=LaunchOrder)


def new_api_key() -> str:
    """A key for the child's HTTP server: 256 random bits in hex. It lives in memory only."""
    return secrets.token_hex(32)


def reserve_port() -> socket.socket:
    """A free loopback port, held by a bound socket that does not listen. Keep the socket open as long as the port is to stay ours.

    The child listens on the same port through SO_REUSEPORT, which the kernel grants to processes of the same user only (socket(7)).
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if hasattr(socket, "SO_REUSEPORT"):
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind((HOST, 0))
    return holder


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The few variables a child process may see; no provider's key is among them."""
    return {name: environ[name] for name in _ENVIRONMENT if name in environ}


def default_threads() -> int:
    """Threads for the engine: at most two, so that the gateway keeps a core on anything but the smallest machine."""
    return min(2, os.cpu_count() or 1)


def log_path(folder: Path) -> Path:
    """Where the child's standard error goes; emptied at each start."""
    return folder / "child.log"
