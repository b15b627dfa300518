"""Coding agents as their users start them, each in an empty home, with a way out that only takes notes."""

import socketserver
import subprocess
from pathlib import Path

from msgspec import Struct
from node import node
from polyglot import THOUGHT

from trunkline.mock.script import Answer, Match, Rule, ToolCall

FOLDER = Path(__file__).resolve().parents[1] / "contract" / "agents"
PATIENCE = 120
"""Seconds for one run; on an idle machine it takes one."""
NOTE = "The cake is a lie."
TOLD = "It is about cake."
ASKED = "Read note.txt and tell me what it is about."


def rules(tool: str, arguments: dict[str, object]) -> tuple[Rule, Rule]:
    """The mock thinks and calls a tool, by the name that it has with an agent; when it gets the result, it answers."""
    call = Answer(reasoning=THOUGHT, tool_calls=(ToolCall(name=tool, arguments=arguments),))
    return Rule(match=Match(results=False), answer=call), Rule(match=Match(results=True), answer=Answer(text=TOLD))


class Exit(socketserver.ThreadingTCPServer):
    """A proxy that lets nobody through; `heard` is who wanted to leave."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Note)
        self.heard: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Note(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Exit)
        self.server.heard.append(self.rfile.readline())
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")


class Place(Struct, frozen=True):
    """Where an agent runs: an empty home, a folder with a note, and the only way out."""

    home: Path
    work: Path
    exit: Exit

    def run(self, script: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """What a program of the packages here did; `script` is its path among them. It sees nothing of our own environment."""
        program = node(FOLDER)
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), self.exit.url)
        path = f"{Path(program).parent}:/usr/bin:/bin"
        given = {"PATH": path, "HOME": str(self.home), "TERM": "dumb", "NO_PROXY": "127.0.0.1", **proxies, **environ}
        command = [program, str(FOLDER / "node_modules" / script), *arguments]
        return subprocess.run(
            command, env=given, cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
