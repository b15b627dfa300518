import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trunkline.catalogue import sync
from trunkline.catalogue.load import load
from trunkline.catalogue.synced import price_log, synced_file
from trunkline.errors import ConfigError

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def row(id: str, prompt: str = "0.000001", **more: object) -> dict[str, Any]:
    return {"id": id, "name": id, "pricing": {"prompt": prompt, "completion": "0.000002"}, **more}


def synchronise(data_dir: Path, *rows: dict[str, Any], write: bool = True) -> sync.Comparison:
    comparison = sync.compare_with("openrouter", msgspec.json.encode({"data": rows}), "list.json", data_dir)
    if write:
        sync.apply(comparison, data_dir, now=NOW)
    return comparison


def test_a_new_model_is_there_after_the_sync(tmp_path: Path) -> None:
    comparison = synchronise(tmp_path, row("acme/echo-1", context_length=1000))
    assert [line.subject for line in comparison.differences if line.kind == "added"] == ["acme/echo-1@openrouter"]
    catalogue = load(None, {"OPENROUTER_API_KEY": "k"}, synced=synced_file(tmp_path))
    (endpoint,) = catalogue.available_endpoints("acme/echo-1")
    assert (endpoint.upstream_model, endpoint.pricing.prompt, endpoint.context_length) == ("acme/echo-1", 1_000_000, 1000)
    assert endpoint.base_url == load(None, {}).providers["openrouter"].base_url
    assert not endpoint.operator_url


def test_a_comparison_writes_nothing(tmp_path: Path) -> None:
    comparison = synchronise(tmp_path, row("acme/echo-1"), write=False)
    assert sync.summary(comparison).startswith("1 rows (0 skipped): 1 added, ")
    assert list(tmp_path.iterdir()) == []


def test_a_second_sync_finds_nothing_new(tmp_path: Path) -> None:
    synchronise(tmp_path, row("acme/echo-1"))
    again = synchronise(tmp_path, row("acme/echo-1"))
    assert [line for line in again.differences if line.kind != "removed"] == []
    assert not price_log(tmp_path).exists()


def test_a_price_change_is_noted_once(tmp_path: Path) -> None:
    synchronise(tmp_path, row("acme/echo-1"))
    synchronise(tmp_path, row("acme/echo-1", "0.000003"))
    synchronise(tmp_path, row("acme/echo-1", "0.000003"))
    (line,) = price_log(tmp_path).read_bytes().splitlines()
    assert msgspec.json.decode(line) == {
        "time": "2026-11-23T00:00:00+00:00",
        "endpoint": "acme/echo-1@openrouter",
        "old": {"prompt": "0.000001", "completion": "0.000002"},
        "new": {"prompt": "0.000003", "completion": "0.000002"},
        "source": "list.json",
    }


def test_a_request_keeps_the_price_with_which_it_began(tmp_path: Path) -> None:
    synchronise(tmp_path, row("acme/echo-1"))
    (began_with,) = load(None, {}, synced=synced_file(tmp_path)).endpoints_of("acme/echo-1")
    synchronise(tmp_path, row("acme/echo-1", "0.000003"))
    (now,) = load(None, {}, synced=synced_file(tmp_path)).endpoints_of("acme/echo-1")
    assert (began_with.pricing.prompt, now.pricing.prompt) == (1_000_000, 3_000_000)
    assert began_with.price_version != now.price_version


def test_a_built_in_model_keeps_its_description(tmp_path: Path) -> None:
    before = load(None, {}).models["openai/gpt-5.2-chat"]
    synchronise(tmp_path, row("openai/gpt-5.2-chat", "0.5", description="Theirs."))
    catalogue = load(None, {}, synced=synced_file(tmp_path))
    assert catalogue.models["openai/gpt-5.2-chat"].description == before.description
    prices = {endpoint.provider: endpoint.pricing.prompt for endpoint in catalogue.endpoints_of("openai/gpt-5.2-chat")}
    assert prices == {"openai": 1_750_000, "openrouter": 500_000_000_000}


def test_the_operators_file_comes_after_the_sync(tmp_path: Path) -> None:
    synchronise(tmp_path, row("acme/echo-1"))
    config = tmp_path / "trunkline.toml"
    config.write_text('[[models]]\nid = "acme/echo-1"\nname = "Mine"\n')
    assert load(config, {}, synced=synced_file(tmp_path)).models["acme/echo-1"].name == "Mine"


def test_vendors_prices_lie_beside_those_of_the_reseller(tmp_path: Path) -> None:
    synchronise(tmp_path, row("acme/echo-1"))
    cost = {"input": 9, "output": 10}
    text = msgspec.json.encode({"openai": {"models": {"gpt-4.1": {"cost": cost}}}, "openrouter": {"models": {"x": {"cost": cost}}}})
    comparison = sync.compare_with("models.dev", text, "api.json", tmp_path)
    assert comparison.feed.providers == {"openai"}
    sync.apply(comparison, tmp_path, now=NOW)
    catalogue = load(None, {}, synced=synced_file(tmp_path))
    assert catalogue.endpoints["openai/gpt-4.1@openai"].pricing.prompt == 9_000_000
    assert catalogue.endpoints["openai/gpt-4.1@openai"].pricing.input_cache_read == 500_000
    assert "acme/echo-1" in catalogue.models


@pytest.mark.parametrize(
    "bad",
    [
        row("acme/echo-1", "-0.5"),
        row("acme/echo-1", name="x" * 10_000),
        row("OPENAI/GPT-4.1"),
        row("acme/echo-1:nitro"),
        row("acme/echo-1", expiration_date="soon"),
        {**row("acme/echo-1"), "pricing": {"prompt": "0", "completion": "0", "overrides": [{"prompt": "1"}]}},
    ],
)
def test_a_hostile_list_changes_nothing(tmp_path: Path, bad: dict[str, Any]) -> None:
    synced_file(tmp_path).parent.mkdir()
    synced_file(tmp_path).write_text("# before")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(ConfigError):
        synchronise(tmp_path, row("acme/good"), bad)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_file_is_read_up_to_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(b"x" * 11)
    assert sync.read_file(file) == b"x" * 11
    monkeypatch.setattr(sync, "LARGEST_LIST", 10)
    with pytest.raises(ConfigError, match="longer than 10 bytes"):
        sync.read_file(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        sync.read_file(tmp_path / "none.json")


def fetched(answer: bytes) -> bytes:
    """What `fetch` gives when a server on loopback answers so."""

    async def scene() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /api/v1/models HTTP/1.1\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await sync.fetch(f"http://127.0.0.1:{port}/api/v1/models", {})

    return asyncio.run(scene())


def test_a_list_comes_over_the_network() -> None:
    assert fetched(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + b'{"data":[]}') == b'{"data":[]}'


def test_another_answer_is_told() -> None:
    with pytest.raises(ConfigError, match=r"it answered 503\. Write instead: a downloaded list, with --file"):
        fetched(b"HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n")


def test_the_sources_are_public_lists() -> None:
    assert {name: source.url for name, source in sync.SOURCES.items()} == {
        "openrouter": "https://openrouter.ai/api/v1/models",
        "models.dev": "https://models.dev/api.json",
    }
