"""Where the local model is to run, and what several workers count in."""

import os
from pathlib import Path

import pytest

from trunkline import settings
from trunkline.app import environment
from trunkline.health.board import News, Notice, open_board
from trunkline.local.presence import Presence
from trunkline.metering.tally import open_tally


def find(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], *, there: bool = True, mode: str = "auto") -> environment.LocalPlace:
    """The place on a machine where the model is or is not installed."""
    presence = Presence(there, there, "" if there else "the engine is not installed")
    monkeypatch.setattr(environment, "installed", lambda _directory: presence)
    return environment.find_local(settings.load({}, {"TRUNKLINE_LOCAL": mode}), {"HOME": str(Path.cwd()), **environ})


def test_a_single_process_chooses_its_own_port_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    place = find(monkeypatch, {})
    assert (place.port, place.off, len(place.api_key)) == (None, "", 64)
    assert place.api_key != find(monkeypatch, {}).api_key


def test_a_worker_takes_its_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    place = find(monkeypatch, {environment.LOCAL_PORT: "4321", environment.LOCAL_API_KEY: "k"})
    assert (place.port, place.api_key, place.off) == (4321, "k", "")


def test_the_reason_is_told_when_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(monkeypatch, {}, there=False).off == "the engine is not installed"
    assert find(monkeypatch, {}, mode="off").off == "it is switched off by TRUNKLINE_LOCAL"


def test_the_board_is_found_where_there_are_several_workers() -> None:
    assert environment.find_board({environment.NUMBER: "0"}) is None
    descriptor = open_board(2)
    one, two = (environment.find_board({environment.BOARD: str(descriptor), environment.NUMBER: number}) for number in ("0", "1"))
    assert one is not None
    assert two is not None
    news = News({"e": Notice(1.0, 2.0)})
    one.publish(news)
    assert two.read(0.0) == news
    os.close(descriptor)


def test_the_embedder_has_a_place_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.embedder_files, "installed", lambda _directory: True)
    place = find(monkeypatch, {environment.EMBEDDER_PORT: "4322"}, there=False)
    assert place.embedder is not None and place.embedder.name == environment.embedder_files.MODEL.name
    assert (place.embedder_port, place.off) == (4322, "the engine is not installed")
    assert find(monkeypatch, {}, mode="off").embedder is None
    monkeypatch.setattr(environment.embedder_files, "installed", lambda _directory: False)
    assert find(monkeypatch, {}).embedder is None


def test_the_tally_is_found_where_there_are_several_workers() -> None:
    assert environment.find_tally({environment.NUMBER: "0"}) is None
    descriptor = open_tally(2)
    own = {"waiting": 1, "lost": 2, "rejected": 3, "dropped": 4}
    for number in ("0", "1"):
        tally = environment.find_tally({environment.TALLY: str(descriptor), environment.NUMBER: number})
        assert tally is not None
        tally.publish(own)
    assert tally.total(own)["dropped"] == 8
    os.close(descriptor)
