"""One worker's objects: they start, reload and stop."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trunkline import settings
from trunkline.app.composition import Gateway
from trunkline.app.environment import LocalPlace
from trunkline.errors import ConfigError
from trunkline.inference.skins import SKINS
from trunkline.inference.token_counts import PATH as COUNT_PATH
from trunkline.storage.engines import open_storage

CONFIG = """
[[providers]]
slug = "acme"
name = "Acme"
dialect = "chat"
base_url = "http://127.0.0.1:9001/v1"

[[models]]
id = "acme/echo-1"
name = "Echo"
context_length = 1000

[[endpoints]]
model = "acme/echo-1"
provider = "acme"
upstream_model = "echo-1"
pricing = { prompt = "0", completion = "0" }
"""


def live(data_dir: Path, scene: Callable[[Gateway, Path], Awaitable[None]], config: str = CONFIG) -> None:
    """Runs a scene with a gateway that has been started."""
    file = data_dir / "trunkline.toml"
    file.write_text(config)

    async def run() -> None:
        chosen = settings.load({"data_dir": str(data_dir), "config": str(file)}, {"TRUNKLINE_BOOTSTRAP_API_KEY": "sk-or-v1-" + "a" * 64})
        storage = open_storage(chosen)
        try:
            gateway = Gateway(chosen, {}, storage, LocalPlace(None, "k", data_dir / "none", "off"), "http://127.0.0.1:1")
            await gateway.start()
            await scene(gateway, file)
            await gateway.stop()
        finally:
            await storage.close()

    asyncio.run(run())


def test_it_starts_and_stops(tmp_path: Path) -> None:
    async def scene(gateway: Gateway, _file: Path) -> None:
        assert gateway.application.inference.keys() >= {*SKINS, COUNT_PATH}
        assert gateway._catalogue.resolve("acme/echo-1") is not None

    live(tmp_path, scene)


def test_a_reload_takes_what_is_right_and_keeps_the_old_when_it_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(gateway: Gateway, file: Path) -> None:
        file.write_text(CONFIG.replace("echo-1", "echo-2"))
        gateway.reload()
        await gateway.reloaded()
        assert gateway._catalogue.resolve("acme/echo-2") is not None and gateway._catalogue.resolve("acme/echo-1") is None
        file.write_text("[[providers")
        gateway.reload()
        await gateway.reloaded()
        assert gateway._catalogue.resolve("acme/echo-2") is not None
        assert "the configuration is not reloaded" in caplog.text

    live(tmp_path, scene)


def test_the_rule_for_old_generations_is_that_of_the_newest_right_configuration(tmp_path: Path) -> None:
    async def scene(gateway: Gateway, file: Path) -> None:
        rules = [gateway._upkeep._keep_days()]
        for text in (CONFIG + "[storage]\ngeneration_days = 30\n", CONFIG + "[storage]\ngeneration_days = 0\n", CONFIG):
            file.write_text(text)
            gateway.reload()
            await gateway.reloaded()
            rules.append(gateway._upkeep._keep_days())
        assert rules == [None, 30, 30, None]

    live(tmp_path, scene)


def test_a_wrong_configuration_is_an_error_at_the_start(tmp_path: Path) -> None:
    async def scene(_gateway: Gateway, _file: Path) -> None:
        raise AssertionError("started")

    with pytest.raises(ConfigError):
        live(tmp_path, scene, "[[providers")


def test_hedging_is_off_until_the_configuration_says_otherwise(tmp_path: Path) -> None:
    async def scene(gateway: Gateway, file: Path) -> None:
        assert (gateway._attempts.hedging, gateway._hedges()) == (None, None)
        for text, share in (("hedging = true", 0.02), ("hedging = true\nhedging_extra_load = 0.05", 0.05)):
            file.write_text(f"{CONFIG}[routing]\n{text}\n")
            gateway.reload()
            await gateway.reloaded()
            assert gateway._attempts.hedging is not None
            assert gateway._attempts.hedging.budget.share == share
            assert gateway._hedges() == {"started": 0, "won": 0, "lost_cost_usd": 0.0}
        file.write_text(CONFIG)
        gateway.reload()
        await gateway.reloaded()
        assert gateway._attempts.hedging is None

    live(tmp_path, scene)
