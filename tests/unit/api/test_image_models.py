"""The models that make images."""

import asyncio

import msgspec
import pytest
from oneshots import offering
from pipelines import served

from trunkline.api.call import Call
from trunkline.api.image_models import ImageModels
from trunkline.api.routes import TABLE
from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Model, Pricing

LIST = next(row for row in TABLE if row.path == "/api/v1/images/models")
ENDPOINTS = next(row for row in TABLE if row.path.startswith("/api/v1/images/models/"))
PRICE = Pricing(prompt=5 * 10**6, completion=3 * 10**6, image=10**6, image_output=4 * 10**10)


def model(id: str, *outputs: str) -> Model:
    return Model(id=id, name=id, author="a", canonical_slug=id, created=1, input_modalities=("text", "image"), output_modalities=outputs)


CATALOGUE = Catalogue(
    models=[model("a/m", "image"), model("a/talks", "text", "image"), model("a/text", "text")],
    endpoints=[
        offering("one", "images", quirks={"stream": True, "per_unit": True, "passthrough": ("style",)}, pricing=PRICE),
        served("two", model="a/talks", pricing=Pricing(prompt=5, completion=3)),
    ],
    providers={},
    authors={},
    missing={},
)
IMAGES = ImageModels(lambda: CATALOGUE)


def endpoints(slug: str):  # type: ignore[no-untyped-def]
    call = Call(operation=ENDPOINTS, path={"author": "a", "slug": slug})
    return msgspec.json.decode(asyncio.run(IMAGES.read_endpoints(call)).body)


def test_the_list() -> None:
    said = msgspec.json.decode(asyncio.run(IMAGES.list(Call(operation=LIST))).body)["data"]
    assert [(one["id"], one["supports_streaming"]) for one in said] == [("a/m", True), ("a/talks", False)]
    assert said[0]["endpoints"] == "/api/v1/images/models/a/m/endpoints"
    assert said[0]["architecture"] == {"input_modalities": ["text", "image"], "output_modalities": ["image"]}
    assert {one["type"] for one in said[0]["supported_parameters"].values()} == {"enum", "range", "boolean"}
    assert "quality" in said[0]["supported_parameters"] and "quality" not in said[1]["supported_parameters"]


def test_the_endpoints_of_a_model() -> None:
    said = endpoints("m")
    (one,) = said["endpoints"]
    assert (said["id"], one["provider_name"], one["provider_slug"], one["provider_tag"]) == ("a/m", "One", "one", "one")
    assert (one["supports_streaming"], one["allowed_passthrough_parameters"]) == (True, ["style"])
    assert one["pricing"] == [
        {"billable": "output_image", "unit": "image", "cost_usd": 0.04},
        {"billable": "input_text", "unit": "token", "cost_usd": 5e-06},
        {"billable": "input_image", "unit": "token", "cost_usd": 1e-06},
    ]


def test_an_image_token_may_cost_what_others_cost() -> None:
    assert endpoints("talks")["endpoints"][0]["pricing"][0] == {"billable": "output_image", "unit": "token", "cost_usd": 3e-12}


@pytest.mark.parametrize("slug", ["text", "nothing"])
def test_models_that_make_none_are_not_found(slug: str) -> None:
    with pytest.raises(ApiError) as caught:
        endpoints(slug)
    assert caught.value.status == 404
