"""An endpoint of the dialect, and an identity to answer under."""

from collections.abc import Callable

import pytest

from trunkline.dialects.hub.translation import Identity
from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.quirks import Quirks


@pytest.fixture
def identity() -> Identity:
    return Identity("gen-1-x", "a/b", "P", 1)


@pytest.fixture
def endpoint() -> Callable[..., Endpoint]:
    """Makes an endpoint: `supported`, `limit` (tokens), `base_url`, and quirks."""

    def make(
        *,
        supported: set[str] | None = None,
        limit: int | None = None,
        base_url: str = "https://host.example",
        **quirks: object,
    ) -> Endpoint:
        return Endpoint(
            id="e",
            model="a/b",
            provider="p",
            provider_name="P",
            tag="p",
            dialect="messages",
            base_url=base_url,
            upstream_model="up-1",
            pricing=Pricing(),
            max_completion_tokens=limit,
            supported_parameters=None if supported is None else frozenset(supported),
            quirks=Quirks(**quirks),  # type: ignore[arg-type]
        )

    return make
