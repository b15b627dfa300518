"""The `trunkline` command: thin, one function a command. What they do lives in the rooms."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click

from trunkline import __version__
from trunkline.accounts.keys import KeyChanges, Keys, NewKey
from trunkline.app import route_table
from trunkline.app.serving import serve as serve_forever
from trunkline.catalogue import sync as syncing
from trunkline.catalogue.differences import Difference
from trunkline.errors import ApiError, TrunklineError
from trunkline.local import embedder_files, weights
from trunkline.mock import server as mock_server
from trunkline.protocol.money import round_usd, usd
from trunkline.settings import SETTINGS, Settings, load
from trunkline.storage.engines import databases_of, open_storage, prepare_folder

FLAGS = [setting for setting in SETTINGS if setting.flag]


def settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags of the settings table to a command."""
    for setting in reversed(FLAGS):
        option = click.option(setting.flag, setting.name, metavar=setting.name.upper(), help=f"{setting.help} [{setting.variable}]")
        function = option(function)
    return function


def settings_of(flags: Mapping[str, str | None]) -> Settings:
    """The settings in force for a command that was given these flags."""
    names = {setting.name for setting in FLAGS}
    return load({name: value for name, value in flags.items() if name in names and value is not None}, os.environ)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trunkline")
def cli() -> None:
    """Trunkline: a self-hosted OpenRouter."""


@cli.command()
@settings_options
@click.option("--demo-key", is_flag=True, help="Keep a demo key (limit $1 a day) in the data folder and show how to use it.")
def serve(demo_key: bool, **flags: str | None) -> None:
    """Serve the API and the site."""
    sys.exit(serve_forever(settings_of(flags), os.environ, demo_key=demo_key))


@cli.group()
def keys() -> None:
    """Create, list and disable API keys."""


@keys.command("create")
@click.option("--name", required=True, help="A name to recognise the key by.")
@click.option("--limit", type=float, help="Spending limit in USD; absent = none.")
@click.option("--limit-reset", type=click.Choice(["daily", "weekly", "monthly"]), help="When the limit starts anew (UTC).")
@click.option("--management", is_flag=True, help="A management key: it manages keys and cannot call inference.")
@settings_options
def create_key(name: str, limit: float | None, limit_reset: Any, management: bool, **flags: str | None) -> None:
    """Create a key. The secret is shown once, alone on the last line."""

    async def create(store: Keys) -> None:
        pico = None if limit is None else round_usd(limit)
        new = NewKey(name=name, kind="management" if management else "inference", limit=pico, limit_reset=limit_reset)
        key, secret = await store.create(new)
        click.echo(f"created {key.record.label} ({key.record.hash}); the secret is not shown again:", err=True)
        click.echo(secret)

    _with_keys(flags, create)


@keys.command("list")
@click.option("--all", "include_disabled", is_flag=True, help="Disabled keys too.")
@settings_options
def list_keys(include_disabled: bool, **flags: str | None) -> None:
    """List keys with what they have spent."""

    async def show(store: Keys) -> None:
        for key in await store.newest(workspace_id=None, include_disabled=include_disabled):
            record = key.record
            limit = "no limit" if record.spend_limit is None else f"${usd(record.spend_limit):g} {record.limit_reset or 'in total'}"
            state = "disabled" if record.disabled else record.kind
            click.echo(f"{record.hash}  {record.label}  {state:10}  ${usd(key.spending.own.total):.6f} of {limit}  {record.name}")

    _with_keys(flags, show)


@keys.command("disable")
@click.argument("key_hash")
@settings_options
def disable_key(key_hash: str, **flags: str | None) -> None:
    """Disable the key with this hash."""

    async def disable(store: Keys) -> None:
        key = await store.update(key_hash, KeyChanges(disabled=True))
        click.echo(f"disabled {key.record.label}")

    _with_keys(flags, disable)


def _with_keys(flags: Mapping[str, str | None], work: Callable[[Keys], Any]) -> None:
    async def run() -> None:
        storage = open_storage(settings_of(flags))
        try:
            await work(Keys(storage))
        finally:
            await storage.close()

    asyncio.run(run())


@cli.group()
def db() -> None:
    """Upgrade, back up and restore the databases."""


@db.command()
@settings_options
def migrate(**flags: str | None) -> None:
    """Bring the databases to this release's schema."""

    async def close() -> None:
        await open_storage(settings_of(flags)).close()

    asyncio.run(close())
    click.echo("the databases are up to date")


@db.command()
@click.argument("folder", type=click.Path(path_type=Path))
@settings_options
def backup(folder: Path, **flags: str | None) -> None:
    """Copy the databases into FOLDER, also while the server runs. PostgreSQL needs pg_dump on the PATH."""
    for file in databases_of(settings_of(flags)).back_up(folder):
        click.echo(str(file))


@db.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@settings_options
def restore(folder: Path, **flags: str | None) -> None:
    """Replace the databases by the backup in FOLDER; no server may run. PostgreSQL needs pg_restore and psql on the PATH."""
    databases_of(settings_of(flags)).restore(folder)
    click.echo(f"the databases are restored from {folder}")


@cli.group()
def catalog() -> None:
    """Models, prices and limits."""


@catalog.command()
@click.option("--from", "source", required=True, type=click.Choice(sorted(syncing.SOURCES)), help="Whose list to compare with.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="A downloaded list; absent = get it from the network.")
@click.option("--apply", "write", is_flag=True, help="Write the differences into the data folder and note price changes.")
@settings_options
def sync(source: str, file: Path | None, write: bool, **flags: str | None) -> None:
    """Compare the catalogue with a public list, and with --apply make it agree."""
    data_dir = settings_of(flags).data_dir
    url = syncing.SOURCES[source].url
    text = syncing.read_file(file) if file else asyncio.run(syncing.fetch(url, os.environ))
    comparison = syncing.compare_with(source, text, str(file or url), data_dir)
    for line in comparison.differences:
        click.echo(_difference_line(line))
    click.echo(syncing.summary(comparison))
    if write:
        prepare_folder(data_dir)
        click.echo(f"written: {syncing.apply(comparison, data_dir)}; a running server reads it after SIGHUP")
    elif comparison.differences:
        click.echo("nothing is written; add --apply to write it")


def _difference_line(line: Difference) -> str:
    """One row of the table: what happened, to which endpoint, to which fact, from what to what."""
    change = f"  {line.old or '-'} -> {line.new or '-'}" if line.fact else ""
    return f"{line.kind:8} {line.subject:60} {line.fact:24}{change}".rstrip()


@cli.group()
def local() -> None:
    """The local model."""


@local.command()
def fetch() -> None:
    """Download the local models' weights (93 MB for chat, 21 MB for embeddings) and check them."""
    directory = weights.default_directory(os.environ)
    for path in (weights.fetch(directory), *embedder_files.fetch(directory)):
        click.echo(str(path))


@cli.command()
@click.argument("request_file", metavar="FILE", type=click.File("rb"))
@click.option("--dialect", default="", help="Whose body it is (chat, messages, responses, embeddings, ...); absent = its fields tell.")
@click.option("--url", default="", help="Where the server answers; absent = where the settings say, on this machine.")
@click.option("--key", default="", envvar="TRUNKLINE_API_KEY", help="An API key; absent = the bootstrap key or the demo key.")
@settings_options
def route(request_file: BinaryIO, dialect: str, url: str, key: str, **flags: str | None) -> None:
    """Show where the request in FILE (- = standard input) would go, and why. A running server is asked; nothing is sent to a provider."""
    chosen = settings_of(flags)
    asked = route_table.ask(
        url or route_table.address(chosen), key or route_table.find_key(chosen), request_file.read(), dialect, os.environ
    )
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in route_table.lines(asyncio.run(asked), width):
        click.echo(line)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9001, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 picks a free one.")
@click.option("--script", type=click.Path(path_type=Path, dir_okay=False), help="Rules of what to answer (TOML or JSON); absent = echo.")
def mock(host: str, port: int, script: Path | None) -> None:
    """Serve a scripted upstream that can fail on purpose."""
    mock_server.main(host, port, script)


def main() -> None:
    """The console script. Exit codes: 0 success, 1 an error told in one line, 2 wrong usage."""
    try:
        cli()
    except ApiError as error:
        sys.exit(f"trunkline: {error.message}")
    except (TrunklineError, OSError) as error:
        sys.exit(f"trunkline: {error}")
