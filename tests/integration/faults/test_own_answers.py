"""Nobody hears a byte of another caller's answer, whatever breaks: all at one origin, so that connections go from hand to hand."""

import asyncio
from pathlib import Path

import pytest
from gateway import Gateway
from own_answers import Crowd, configuration, rules

from trunkline.mock.script import Script
from trunkline.mock.thread import MockServer


@pytest.mark.parametrize("seconds", [4.0, pytest.param(150.0, marks=pytest.mark.long)])
def test_every_byte_is_of_the_callers_own_answer(seconds: float, tmp_path: Path) -> None:
    with MockServer(scene=Script(rules=tuple(rules()))) as mock, Gateway(tmp_path, configuration(mock.origin)) as gateway:
        crowd = Crowd(gateway, seed=1)
        asyncio.run(crowd.run(seconds))
        connections = len({one.connection for one in mock.seen()})
        calls = len(mock.seen())
    assert not crowd.wrong, crowd.wrong[:5]
    assert not [line for line in gateway.log if "Traceback" in line or "was never retrieved" in line], "".join(gateway.log)
    assert crowd.told["200"] > 20, crowd.told
    assert connections < calls, "connections are kept"
