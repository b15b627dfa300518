"""The keys that exist from the start: those the operator names in the environment, and the demo key in its file."""

import os
from pathlib import Path

from trunkline.accounts.keys import Keys, NewKey, mint_key
from trunkline.accounts.keys_store import KeyRecord, find_key
from trunkline.errors import ApiError, ConfigError
from trunkline.protocol.identity import is_api_key, key_hash
from trunkline.protocol.money import PICO_PER_USD
from trunkline.protocol.principal import KeyKind
from trunkline.settings import Settings
from trunkline.storage.engines import Storage

DEMO_FILE = "demo-key"
DEMO_LIMIT = PICO_PER_USD
"""What the demo key may spend a day: one dollar."""


async def _find(storage: Storage, secret: str) -> KeyRecord | None:
    async with storage.reading(storage.control) as connection:
        return await find_key(connection, key_hash(secret))


async def _ensure(storage: Storage, secret: str, new: NewKey) -> KeyRecord | None:
    """The stored key if there was one, else None after storing it."""
    record = await _find(storage, secret)
    if record is None:
        try:
            await Keys(storage).create(new, secret=secret)
        except ApiError:  # another worker, or another machine with the same database, may have been faster
            record = await _find(storage, secret)
            if record is None:
                raise
    return record


def _warning(what: str, record: KeyRecord, kind: KeyKind) -> str | None:
    if record.deleted_ms is not None:
        return f"{what} was deleted and stays deleted"
    if record.disabled:
        return f"{what} is disabled and stays disabled"
    if record.kind != kind:
        return f"{what} exists as a key of kind {record.kind} and stays one"
    return None


async def ensure_bootstrap_keys(storage: Storage, settings: Settings) -> tuple[str, ...]:
    """Makes the keys of TRUNKLINE_BOOTSTRAP_*_KEY exist. One that was disabled or deleted stays so: each such case is a warning in the
    result."""
    rows: tuple[tuple[str, KeyKind, str], ...] = (
        (settings.bootstrap_api_key, "inference", "TRUNKLINE_BOOTSTRAP_API_KEY"),
        (settings.bootstrap_management_key, "management", "TRUNKLINE_BOOTSTRAP_MANAGEMENT_KEY"),
    )
    warnings = []
    for secret, kind, variable in rows:
        if not secret:
            continue
        record = await _ensure(storage, secret, NewKey(name=f"Bootstrap {kind} key", kind=kind))
        warning = record and _warning(f"the key of {variable}", record, kind)
        if warning:
            warnings.append(warning)
    return tuple(warnings)


def _read(file: Path) -> str | None:
    try:
        secret = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"the demo key cannot be read: {error}", "delete the file to get a new one") from error
    if not is_api_key(secret):
        raise ConfigError(str(file), "the file holds no API key", "delete the file to get a new one")
    return secret


def _write(file: Path, secret: str) -> str:
    """Writes the key for its owner's eyes only; if another process was faster, that one's key is the result."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(file) or secret
    with os.fdopen(handle, "w", encoding="ascii") as writer:
        writer.write(f"{secret}\n")
    return secret


async def ensure_demo_key(storage: Storage) -> Path:
    """The file of the demo key, which is reused when it exists (0600); the key may spend a dollar a day. Raises ConfigError for an
    unreadable file."""
    file = storage.data_dir / DEMO_FILE
    secret = _read(file) or _write(file, mint_key())
    file.chmod(0o600)
    await _ensure(storage, secret, NewKey(name="Demo key", limit=DEMO_LIMIT, limit_reset="daily"))
    return file
