"""PostgreSQL's own programs as child processes: which are needed, what they are told, and what became of them.

The password never stands among the arguments, which any user of the machine can list: it goes in the child's environment, which holds
nothing else but what PostgreSQL's programs read and asyncpg, too, would have read.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import IO, Final, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from trunkline.errors import ConfigError

_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
_POSTGRES_VARIABLES: Final = (
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSSLMODE",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGSSLROOTCERT",
    "PGSSLCRL",
    "PGSSLNEGOTIATION",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMAXPROTOCOLVERSION",
    "PGTARGETSESSIONATTRS",
    "PGKRBSRVNAME",
    "PGGSSLIB",
    "PGSERVICE",
    "PGSERVICEFILE",
)
_PARAMETERS: Final = {variable.removeprefix("PG").lower() for variable in _POSTGRES_VARIABLES} | {
    "dbname",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "target_session_attrs",
}
_RENAMED: Final = {"database": "dbname"}
"""What a URL may say to asyncpg and libpq alike; asyncpg takes all else for settings of the server, which libpq refuses."""
_CHUNK: Final = 1 << 20


class Programs:
    """PostgreSQL's programs, told to use the database at `url`."""

    def __init__(self, url: str) -> None:
        self.database, password = split(url)
        names = (*_VARIABLES, *_POSTGRES_VARIABLES)
        self._environment = {name: os.environ[name] for name in names if name in os.environ}
        if password:
            self._environment["PGPASSWORD"] = password

    def run(self, *command: str) -> str:
        """The output of a program. Raises ConfigError, with the program's last words, when it is missing or fails."""
        with TemporaryFile() as words:
            done = subprocess.run(
                [_find(command[0]), *command[1:]], env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words
            )
            _judge(command[0], done.returncode, words)
        return done.stdout.decode("utf-8", "replace")

    def pipe(self, source: Sequence[str], target: Sequence[str]) -> None:
        """Has `target` read what `source` writes. When `source` fails, `target` is killed before its input ends. Raises as `run` does."""
        commands = [[_find(command[0]), *command[1:]] for command in (source, target)]
        with TemporaryFile() as read_words, TemporaryFile() as write_words:
            reader = subprocess.Popen(
                commands[1], env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=read_words
            )
            try:
                writer = subprocess.Popen(
                    commands[0], env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=write_words
                )
                taken = _pump(writer, reader)
                if taken:
                    _judge(source[0], writer.returncode, write_words)
                    reader.communicate()
                _judge(target[0], reader.wait() or int(not taken), read_words)
            finally:
                reader.kill()
                reader.communicate()


def split(url: str) -> tuple[str, str]:
    """The URL as libpq takes it, without its password, and the password, "" for none."""
    parts = urlsplit(url)
    query = {_RENAMED.get(name, name): value for name, value in parse_qsl(parts.query)}
    login, at, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    secret = query.pop("password", "") or unquote(password)
    kept = urlencode({name: value for name, value in query.items() if name in _PARAMETERS}, quote_via=quote)
    return urlunsplit(("postgresql", f"{user}{at}{hosts}", parts.path, kept, "")), secret


def _find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise ConfigError(
            "PATH", f"{program} is not installed", "a PATH with PostgreSQL's client programs, of the server's release or newer"
        )
    return found


def _pump(writer: subprocess.Popen[bytes], reader: subprocess.Popen[bytes]) -> bool:
    """Hands everything on and waits for the writer; False when the reader did not want all of it."""
    sink = cast(IO[bytes], reader.stdin)
    try:
        with cast(IO[bytes], writer.stdout) as source:
            while chunk := source.read(_CHUNK):
                sink.write(chunk)
    except BrokenPipeError:
        return False
    finally:
        writer.wait()
    return True


def _judge(program: str, code: int, words: IO[bytes]) -> None:
    if code:
        words.seek(0)
        lines = words.read().decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if "error" in line.lower()] or lines
        raise ConfigError(program, errors[0].removeprefix(f"{program}: ") if errors else f"it ended with code {code}")
