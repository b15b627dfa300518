"""The pages in-process over a catalogue of files, and a browser without a browser."""

import asyncio
from collections.abc import Iterator, Mapping

import httpx
import pytest
from litestar import Litestar, Response, get

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.pages.services import Operation, PageServices
from trunkline.pages.site import Site

ORIGIN = "https://gateway.example"

CONFIG = """
[[authors]]
slug = "acme"
name = "Acme Labs"

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
base_url = "env:ZETA_BASE_URL"
api_key = "env:ZETA_API_KEY"

[[models]]
id = "acme/echo-1"
name = "Acme: Echo 1"
created = 1765389783
description = "Says <b>what</b> you said."
context_length = 128000
input_modalities = ["image", "text"]
output_modalities = ["text"]
aliases = ["acme/echo"]
default_parameters = { temperature = 0.2, top_p = 0.9 }
reasoning = { mandatory = true, supported_efforts = ["high", "low"], default_effort = "low", supports_max_tokens = true }

[[models]]
id = "acme/echo-1:free"
name = "Acme: Echo 1 (free)"
created = 1765389784
context_length = 8000

[[models]]
id = "zeta/vector-1"
name = "Vector 1"
created = 1700000000
output_modalities = ["embeddings"]
expiration_date = "2027-01-31"

[[endpoints]]
model = "acme/echo-1"
provider = "zeta"
upstream_model = "echo-1"
quantization = "fp8"
max_completion_tokens = 4096
supported_parameters = ["temperature"]
data_policy = { training = false, retention_days = 30 }

[endpoints.pricing]
prompt = "0.0000005"
completion = "0.0000015"
input_cache_read = "0.00000005"
input_cache_write = "0.000000625"
web_search = "0.01"

[[endpoints.pricing.overrides]]
min_prompt_tokens = 64000
utc_start = 2200
utc_end = 630
prompt = "0.000001"

[[endpoints]]
model = "acme/echo-1"
provider = "acme"
upstream_model = "echo-1"
pricing = { prompt = "0.00000175", completion = "0.000014" }
supported_parameters = ["temperature", "tools"]

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

OPERATIONS = (
    Operation("GET", "/api/v1/files", "key", "Files", "planned", "List files"),
    Operation("POST", "/api/v1/chat/completions", "key", "Chat", "live", "Create a chat completion"),
    Operation("GET", "/api/v1/models", "public", "Models", "live", "List all models"),
)


def answer_api(_request: object, error: Exception) -> Response[bytes]:
    """What stands for the API's own handler."""
    return Response(type(error).__name__.encode(), status_code=418)


@get(["/health", "/api/v1/models"], media_type="text/plain")
async def serve_api() -> str:
    """What stands for the API itself."""
    return "api"


class Visitor:
    """Asks for pages. `open` is the server's lock; `tokens` are the weekly tokens."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.open = True
        self.tokens: dict[str, int] = {}
        self.catalogue = catalogue
        self._runner = asyncio.Runner()
        self.site = Site(
            PageServices(
                catalogue=lambda: self.catalogue,
                weekly_tokens=lambda: self.tokens,
                origin=ORIGIN,
                operations=OPERATIONS,
                opens=lambda _scope: self.open,
            ),
            answer_api,
        )
        self._application = Litestar(
            [serve_api, self.site.router],
            exception_handlers=self.site.exception_handlers,
            openapi_config=None,
            logging_config=None,
        )

    def get(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._application, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
                return await client.request(method, path, headers=headers)

        return self._runner.run(send())

    def close(self) -> None:
        self._runner.close()


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The built-in data with the models above on top; only `acme` can be called."""
    config = tmp_path_factory.mktemp("pages") / "trunkline.toml"
    config.write_text(CONFIG)
    return load(config, {})


@pytest.fixture(scope="session")
def empty() -> Catalogue:
    """A catalogue of nothing."""
    return Catalogue(models=(), endpoints=(), providers={}, authors={}, missing={})


@pytest.fixture
def visitor(catalogue: Catalogue) -> Iterator[Visitor]:
    running = Visitor(catalogue)
    yield running
    running.close()
