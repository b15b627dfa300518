"""Figures served from memory."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from trunkline import settings
from trunkline.app import figures as module
from trunkline.app.figures import Figures
from trunkline.errors import StorageUnavailable
from trunkline.protocol.traffic import NO_TRAFFIC, Traffic, Use
from trunkline.storage.engines import open_storage


def test_figures_change_only_when_the_store_says_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Mapping[str, int] | Exception] = [{"a/b": 1}, {"a/b": 1}, StorageUnavailable("away"), {"a/b": 2}]

    async def weekly_tokens(_connection: object, *, today: int) -> Mapping[str, int]:
        assert today > 20_000
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(module, "weekly_tokens", weekly_tokens)

    async def scene() -> None:
        storage = open_storage(settings.load({"data_dir": str(tmp_path)}, {}))
        figures = Figures(storage)
        assert figures.weekly_tokens() == {}
        await figures.refresh()
        first = figures.weekly_tokens()
        await figures.refresh()
        await figures.refresh()
        assert figures.weekly_tokens() is first == {"a/b": 1}
        await figures.refresh()
        assert figures.weekly_tokens() == {"a/b": 2}
        await storage.close()

    asyncio.run(scene())


def test_traffic_is_read_when_that_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Traffic({"a/b": Use(1)}), Traffic({"a/b": Use(2)})]

    async def weekly_traffic(_connection: object, *, today: int) -> Traffic:
        assert today > 20_000
        return answers.pop(0)

    monkeypatch.setattr(module, "weekly_traffic", weekly_traffic)

    async def scene() -> None:
        storage = open_storage(settings.load({"data_dir": str(tmp_path)}, {}))
        figures = Figures(storage)
        assert figures.traffic() is NO_TRAFFIC
        await figures.refresh()
        await figures.refresh()
        assert figures.traffic().models["a/b"].requests == 1
        figures.hurry()
        await figures.refresh()
        assert figures.traffic().models["a/b"].requests == 2
        await storage.close()

    asyncio.run(scene())


def test_they_are_refreshed_in_the_background_until_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFRESH_SECONDS", 0.001)
    count = 0

    async def weekly_tokens(_connection: object, *, today: int) -> Mapping[str, int]:
        nonlocal count
        count += 1
        return {"a/b": count}

    monkeypatch.setattr(module, "weekly_tokens", weekly_tokens)

    async def scene() -> None:
        storage = open_storage(settings.load({"data_dir": str(tmp_path)}, {}))
        figures = Figures(storage)
        figures.stop()
        figures.start()
        async with asyncio.timeout(30):
            while count < 3:
                await asyncio.sleep(0.002)
        figures.stop()
        await asyncio.sleep(0.05)
        ended = count
        await asyncio.sleep(0.02)
        assert count == ended
        await storage.close()

    asyncio.run(scene())
