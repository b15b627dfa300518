"""Every setting of the process, as one table: its variable, flag, default and meaning. Docs and `--help` derive from it.

A setting comes from its flag, else its environment variable, else (for secrets) the file named by the variable with `_FILE` appended, else
the
default. `trunkline.toml` holds providers, models and endpoints and is read by `catalogue`.
"""

import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from trunkline.errors import ConfigError
from trunkline.protocol.identity import is_api_key

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LocalMode = Literal["auto", "on", "off"]


class Settings(Struct, frozen=True, kw_only=True):
    """The settings in force. Secrets among them are never shown by `repr` outside of this process's memory."""

    config: Path | None
    host: str
    port: int
    workers: int
    data_dir: Path
    database_url: str
    public_url: str
    trusted_proxies: tuple[Network, ...]
    local: LocalMode
    bootstrap_api_key: str
    bootstrap_management_key: str

    @property
    def own_host(self) -> str:
        """The name in `public_url`, in lower case without a port; "" when there is none."""
        return urlsplit(self.public_url).hostname or ""

    def __repr__(self) -> str:
        return (
            f"Settings(host={self.host!r}, port={self.port}, workers={self.workers}, data_dir={str(self.data_dir)!r}, local={self.local!r})"
        )


class Setting(Struct, frozen=True):
    """One row of the table. `flag` is empty for settings that only the environment gives."""

    name: str
    default: str
    help: str
    parse: Callable[[str, str], object]
    flag: str = ""
    secret: bool = False

    @property
    def variable(self) -> str:
        return f"TRUNKLINE_{self.name.upper()}"


def _text(_where: str, value: str) -> str:
    return value


def _optional_path(_where: str, value: str) -> Path | None:
    return Path(value).expanduser() if value else None


def _path(_where: str, value: str) -> Path:
    return Path(value).expanduser()


def _number(low: int, high: int) -> Callable[[str, str], int]:
    def parse(where: str, value: str) -> int:
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise ConfigError(where, f"{value!r} is not a whole number from {low} to {high}", str(low or high))
        return int(value)

    return parse


def _networks(where: str, value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(where, str(error), "CIDRs separated by commas, such as 10.0.0.0/8,127.0.0.1/32") from None


def _local(where: str, value: str) -> str:
    if value not in ("auto", "on", "off"):
        raise ConfigError(where, f"{value!r} is none of auto, on, off", "auto")
    return value


def _public_url(where: str, value: str) -> str:
    if not value:
        return ""
    parts = urlsplit(value)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise ConfigError(where, "not an origin (scheme, host and perhaps a port)", "https://gateway.example.com")
    return value.rstrip("/")


def _bootstrap_key(where: str, value: str) -> str:
    if value and not is_api_key(value):
        raise ConfigError(where, "the key has the wrong form (it is not shown here)", "sk-or-v1- followed by 64 lower-case hex digits")
    return value


SETTINGS = (
    Setting("config", "", "Path of trunkline.toml; default: ./trunkline.toml when it exists.", _optional_path, "--config"),
    Setting("host", "127.0.0.1", "Address to listen on.", _text, "--host"),
    Setting("port", "8787", "Port to listen on; 0 picks a free one.", _number(0, 65535), "--port"),
    Setting("workers", "1", "Number of worker processes.", _number(1, 64), "--workers"),
    Setting("data_dir", "~/.trunkline", "Folder for databases, spool and demo key.", _path, "--data-dir"),
    Setting(
        "database_url",
        "",
        "postgresql://user:password@host/name, with the extra `postgres` installed; empty = SQLite in the data folder.",
        _text,
        secret=True,
    ),
    Setting("public_url", "", "Origin under which others reach this server; opens what is otherwise loopback only.", _public_url),
    Setting("trusted_proxies", "", "CIDRs whose Forwarded and X-Forwarded-* headers are believed.", _networks),
    Setting("local", "auto", "The local model: auto (on when installed), on, off.", _local),
    Setting("bootstrap_api_key", "", "An inference key that exists from the start.", _bootstrap_key, secret=True),
    Setting("bootstrap_management_key", "", "A management key that exists from the start.", _bootstrap_key, secret=True),
)


def _lookup(setting: Setting, flags: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, str]:
    """Where the value comes from (for error messages) and the value itself."""
    if flags.get(setting.name):
        return setting.flag, flags[setting.name]
    if environ.get(setting.variable):
        return setting.variable, environ[setting.variable]
    file_variable = f"{setting.variable}_FILE"
    if setting.secret and environ.get(file_variable):
        try:
            return file_variable, Path(environ[file_variable]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError(file_variable, f"the file cannot be read: {reason}", "the path of a readable text file") from None
    return setting.variable, setting.default


def load(flags: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """The settings in force, from command-line flags (by setting name) and the environment. Raises ConfigError for a value that cannot be
    used."""
    values: dict[str, object] = {}
    for setting in SETTINGS:
        where, value = _lookup(setting, flags, environ)
        values[setting.name] = setting.parse(where, value)
    return Settings(**values)  # type: ignore[arg-type]
