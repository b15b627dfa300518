"""The API in-process over a real database: what each test of a tag drives."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from msgspec import Struct

from trunkline import settings
from trunkline.accounts import ledger_store
from trunkline.accounts.keys import ApiKey, Keys, NewKey
from trunkline.api.services import ApiServices
from trunkline.api.site import build_app
from trunkline.auth.authenticator import Authenticator
from trunkline.auth.directory import KeyDirectory
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.catalogue.statistics import EndpointStats, ModelStats
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.engines import Storage, open_storage

CONFIG = """
[[providers]]
slug = "acme"
name = "Acme"
dialect = "chat"
base_url = "http://127.0.0.1:9001/v1"
api_key = "literal-secret"

[[providers]]
slug = "zeta"
name = "Zeta"
dialect = "chat"
base_url = "http://127.0.0.1:9002/v1"
api_key = "env:ZETA_API_KEY"

[[models]]
id = "acme/echo-1"
name = "Acme: Echo 1"
context_length = 128000
input_modalities = ["text", "image"]
output_modalities = ["text"]

[[models]]
id = "acme/echo-1:free"
name = "Acme: Echo 1 (free)"
context_length = 8000

[[models]]
id = "zeta/vector-1"
name = "Zeta: Vector 1"
context_length = 4000
output_modalities = ["embeddings"]

[[endpoints]]
model = "acme/echo-1"
provider = "acme"
upstream_model = "echo-1"
pricing = { prompt = "0.000001", completion = "0.000002", input_cache_read = "0.0000001" }
data_policy = { training = false, retention_days = 0, zdr = true }

[[endpoints]]
model = "acme/echo-1"
provider = "zeta"
upstream_model = "echo-1"
pricing = { prompt = "0.000003", completion = "0.000004" }

[[endpoints]]
model = "acme/echo-1:free"
provider = "acme"
upstream_model = "echo-1"
pricing = { prompt = "0", completion = "0" }

[[endpoints]]
model = "zeta/vector-1"
provider = "zeta"
upstream_model = "vector-1"
pricing = { prompt = "0.00000001", completion = "0" }
"""


class Generations(Struct):
    """The recorder's memory, as far as the API asks it."""

    records: dict[bytes, GenerationRecord] = {}

    def counters(self) -> dict[str, int]:
        return {"waiting": 3, "lost": 0, "rejected": 0, "dropped": 0}

    async def find(self, id: bytes) -> GenerationRecord | None:
        return self.records.get(id)


class Api:
    """A running API and its two keys."""

    inference_key = "sk-or-v1-" + "a1" * 32
    management_key = "sk-or-v1-" + "b2" * 32

    def __init__(self, data_dir: Path, *, host: str = "127.0.0.1", environ: Mapping[str, str] | None = None) -> None:
        self.runner = asyncio.Runner()
        self.settings = settings.load({"host": host}, {"TRUNKLINE_DATA_DIR": str(data_dir), **(environ or {})})
        self.storage: Storage = open_storage(self.settings)
        self.keys = Keys(self.storage)
        self.generations = Generations()
        config = data_dir / "trunkline.toml"
        config.write_text(CONFIG)
        self.catalogue: Catalogue = load(config, {})
        self.weekly_tokens: dict[str, int] = {}
        self.stats: dict[str, EndpointStats] = {}
        self.model_stats: dict[str, ModelStats] = {}
        directory = KeyDirectory(self.storage)
        self.app = build_app(
            ApiServices(
                catalogue=lambda: self.catalogue,
                authenticator=Authenticator(directory),
                keys=self.keys,
                keys_changed=directory.refresh,
                credits=self._credits,
                recorder=self.generations,  # type: ignore[arg-type]
                settings=self.settings,
                weekly_tokens=lambda: self.weekly_tokens,
                endpoint_stats=self.stats.get,
                model_stats=lambda: self.model_stats,
                site="http://127.0.0.1:8787",
                hedging=lambda: None,
            )
        )
        self.create(NewKey(name="inference"), self.inference_key)
        self.create(NewKey(name="management", kind="management"), self.management_key)

    async def _credits(self) -> tuple[int, int]:
        async with self.storage.reading(self.storage.control) as connection:
            return await ledger_store.credits_totals(connection)

    def reload(self, more: str) -> None:
        """The catalogue again, with more tables at the end of the operator's file."""
        config = self.settings.data_dir / "trunkline.toml"
        config.write_text(CONFIG + more)
        self.catalogue = load(config, {})

    def create(self, new: NewKey, secret: str) -> ApiKey:
        return self.runner.run(self.keys.create(new, secret=secret))[0]

    def grant(self, amount: int) -> None:
        async def write() -> None:
            async with self.storage.writing(self.storage.control) as connection:
                await ledger_store.grant(connection, bytes(16), amount, 0, "test")

        self.runner.run(write())

    def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        body: object | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        peer: str = "127.0.0.1",
        host: str = "127.0.0.1:8787",
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(peer, 50000))
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                authorization = {"authorization": f"Bearer {key}"} if key else {}
                sent = {**authorization, **(headers or {})}
                return await client.request(method, path, headers=sent, json=body, content=content)

        return self.runner.run(send())

    def manage(self, method: str, path: str, body: object | None = None) -> httpx.Response:
        return self.call(method, path, key=self.management_key, body=body)

    def close(self) -> None:
        self.runner.run(self.storage.close())
        self.runner.close()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    running = Api(tmp_path)
    yield running
    running.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for tests that change nothing."""
    running = Api(tmp_path_factory.mktemp("api"))
    yield running
    running.close()
