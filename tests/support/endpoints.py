"""Endpoints to test with."""

from msgspec.structs import replace

from trunkline.protocol.catalogue import Endpoint, Pricing

PLAIN = Endpoint(
    id="x",
    model="a/m",
    provider="x",
    provider_name="X",
    tag="x",
    dialect="chat",
    base_url="http://x",
    upstream_model="m",
    pricing=Pricing(),
)


def endpoint(tag: str, price: int = 1, **changes: object) -> Endpoint:
    """An endpoint with this tag and total price (pico-dollars a token)."""
    slug = tag.partition("/")[0]
    named = {"id": tag, "tag": tag, "provider": slug, "provider_name": slug.title(), "pricing": Pricing(prompt=price)}
    return replace(PLAIN, **named | changes)
