from litestar import get
from litestar.testing import TestClient
from msgspec import Struct

from trunkline.app.framework import Framework


class Person(Struct):
    name: str


def test_it_serves_structs_and_has_one_plugin() -> None:
    @get("/person")
    async def person() -> Person:
        return Person("Ada")

    application = Framework([person], openapi_config=None, logging_config=None)
    with TestClient(application) as client:
        assert client.get("/person").json() == {"name": "Ada"}
    assert [type(plugin).__module__.split(".")[2] for plugin in application.plugins.di] == ["core"]
