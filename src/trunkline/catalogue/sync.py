"""`trunkline catalog sync`: compares the catalogue with a public list and, when asked, makes the catalogue agree.

Nothing here runs while requests are served: the result is a file that the next start or reload reads. A request that runs meanwhile keeps
the endpoint, and so the price, with which it began.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from trunkline.catalogue import models_dev_feed, openrouter_feed, synced
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.differences import Difference, compare, price_changes, tables
from trunkline.catalogue.feeds import LARGEST_LIST, Feed
from trunkline.catalogue.load import load
from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard

_RESELLER = "openrouter"
_TIMEOUTS = Timeouts(connect=10, first_content=30, idle=30, total=120)


class Source(Struct, frozen=True):
    """A public list: where it is, and how its bytes become a Feed (given them, a name for messages, and the catalogue)."""

    url: str
    read: Callable[[bytes, str, Catalogue], Feed]


class Comparison(Struct, frozen=True):
    """A list, and how the catalogue in force (without `trunkline.toml`) differs from it. `built_in` is without the synced layer."""

    feed: Feed
    built_in: Catalogue
    current: Catalogue
    differences: list[Difference]


def _read_openrouter(text: bytes, source: str, _catalogue: Catalogue) -> Feed:
    return openrouter_feed.read(text, source, _RESELLER)


def _read_models_dev(text: bytes, source: str, catalogue: Catalogue) -> Feed:
    """models.dev for every provider but the one whose own list is a source."""
    return models_dev_feed.read(text, source, (provider for slug, provider in catalogue.providers.items() if slug != _RESELLER))


SOURCES: Mapping[str, Source] = {
    "openrouter": Source("https://openrouter.ai/api/v1/models", _read_openrouter),
    "models.dev": Source("https://models.dev/api.json", _read_models_dev),
}
"""The lists that a sync can read, by the name of `--from`."""


async def fetch(url: str, environ: Mapping[str, str]) -> bytes:
    """The list at `url`, at most LARGEST_LIST bytes. Raises ConfigError for another answer than 200, UpstreamError when none comes."""
    client = Client(EgressGuard(), environ=environ)
    try:
        target = client.target("GET", url, {"accept": "application/json", "user-agent": "trunkline"}, operator_url=True)
        response = await client.send(target, b"", _TIMEOUTS)
        try:
            if response.status != 200:
                raise ConfigError(url, f"it answered {response.status}", "a downloaded list, with --file")
            return await response.read_all(LARGEST_LIST)
        finally:
            response.close()
    finally:
        await client.close()


def read_file(file: Path) -> bytes:
    """A downloaded list. Raises ConfigError when it is too long or cannot be read."""
    try:
        if file.stat().st_size > LARGEST_LIST:
            raise ConfigError(str(file), f"the list is longer than {LARGEST_LIST} bytes")
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(str(file), f"the file cannot be read: {error.strerror}", "the path of a downloaded list") from None


def compare_with(name: str, text: bytes, where: str, data_dir: Path) -> Comparison:
    """Compares the built-in and synced catalogue with a list of the source `name`. `where` is the list's file or URL, for messages. Raises
    ConfigError for a list that cannot be used, and for a broken synced layer.
    """
    file = synced.synced_file(data_dir)
    built_in = load(None, {})
    current = load(None, {}, synced=file) if file.is_file() else built_in
    feed = SOURCES[name].read(text, where, current)
    return Comparison(feed, built_in, current, compare(current, feed))


def summary(comparison: Comparison) -> str:
    """One line: how many rows there are, and how many differences of each kind."""
    kinds = Counter(line.kind for line in comparison.differences)
    changed = len({line.subject for line in comparison.differences if line.kind == "changed"})
    return (
        f"{len(comparison.feed.rows)} rows ({comparison.feed.skipped} skipped): {kinds['added']} added, {kinds['removed']} removed, "
        f"{changed} changed"
    )


def apply(comparison: Comparison, data_dir: Path, *, now: datetime | None = None) -> Path:
    """Writes the synced layer and notes the price changes. Raises ConfigError, having written nothing, when the result would not load."""
    feed = comparison.feed
    file = synced.synced_file(data_dir)
    models, endpoints = tables(comparison.built_in, feed)
    draft = synced.draft_of(file, synced.merge(file, feed.providers, models, endpoints))
    try:
        load(None, {}, synced=draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    changes = price_changes(comparison.current, feed)
    time = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    synced.note_prices(synced.price_log(data_dir), changes, time=time, source=feed.source)
    return file
