"""Who answers which ASGI scope."""

import asyncio
from typing import Any, cast

import pytest

from trunkline.api.inference import InferenceRoute
from trunkline.app.dispatch import Dispatcher

PATH = "/api/v1/chat/completions"


class Scene:
    """A dispatcher whose parts write down what they are asked."""

    def __init__(self, *, fails: bool = False) -> None:
        self.log: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self._fails = fails

        async def route(*_: Any) -> None:
            self.log.append("route")

        async def site(*_: Any) -> None:
            self.log.append("site")

        async def start() -> None:
            self.log.append("start")
            if self._fails:
                raise ValueError("no")

        async def stop() -> None:
            self.log.append("stop")

        self.dispatcher = Dispatcher({PATH: cast(InferenceRoute, route)}, site, start, stop)

    def run(self, scope: dict[str, Any]) -> None:
        """Serves one scope."""

        async def receive() -> dict[str, Any]:
            return {}

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        asyncio.run(self.dispatcher({"type": "http", "headers": [], **scope}, receive, send))


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [("POST", PATH, "route"), ("GET", PATH, "site"), ("POST", PATH + "/", "site"), ("GET", "/", "site"), ("OPTIONS", "/", "site")],
)
def test_inference_goes_straight_and_all_else_to_the_site(method: str, path: str, who: str) -> None:
    scene = Scene()
    scene.run({"method": method, "path": path})
    assert scene.log == [who]


def test_a_preflight_is_answered_here() -> None:
    scene = Scene()
    scene.run({"method": "OPTIONS", "path": PATH})
    assert scene.sent[0]["status"] == 204 and (b"access-control-allow-origin", b"*") in scene.sent[0]["headers"]
    assert not scene.log


def test_a_websocket_is_the_sites_to_refuse() -> None:
    scene = Scene()
    scene.run({"type": "websocket", "path": PATH})
    assert scene.log == ["site"]


def test_the_lifespan_starts_and_stops() -> None:
    scene = Scene()
    scene.run({"type": "lifespan"})
    assert scene.log == ["start", "stop"]
    assert [message["type"] for message in scene.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_failed_start_is_told() -> None:
    scene = Scene(fails=True)
    with pytest.raises(ValueError, match="no"):
        scene.run({"type": "lifespan"})
    assert scene.sent == [{"type": "lifespan.startup.failed", "message": "no"}]
