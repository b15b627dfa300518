"""The models that make images: what each endpoint takes, and what it charges (contract 5.6)."""

import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence

from trunkline.api.call import Call, Reply, reply
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.views import View
from trunkline.dialects.images.size import RATIOS, TIERS
from trunkline.dialects.oneshot import quirks_of
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint, Model
from trunkline.protocol.money import usd

_LONGEST_ECHO = 200
_RATIO_ORDER = sorted(RATIOS)
_BY_CONVERSATION: Mapping[str, View] = {
    "aspect_ratio": {"type": "enum", "values": _RATIO_ORDER},
    "resolution": {"type": "enum", "values": list(TIERS)},
    "n": {"type": "range", "min": 1, "max": 10},
    "seed": {"type": "boolean"},
    "input_references": {"type": "boolean"},
}
_BY_GENERATION: Mapping[str, View] = {
    "aspect_ratio": {"type": "enum", "values": _RATIO_ORDER},
    "n": {"type": "range", "min": 1, "max": 10},
    "quality": {"type": "enum", "values": ["auto", "low", "medium", "high"]},
    "background": {"type": "enum", "values": ["auto", "transparent", "opaque"]},
    "output_format": {"type": "enum", "values": ["png", "jpeg", "webp"]},
    "output_compression": {"type": "range", "min": 0, "max": 100},
    "input_references": {"type": "boolean"},
}
"""What is sent on to an endpoint of each form (`dialects.images`, `inference.pictures`)."""


class ImageModels:
    """The image half of the tag Images. `catalogue` gives the catalogue in force."""

    def __init__(self, catalogue: Callable[[], Catalogue]) -> None:
        self._catalogue = catalogue

    async def list(self, _call: Call) -> Reply:
        """`GET /images/models`: all of them, by name of their ids."""
        catalogue = self._catalogue()
        makers = sorted((one for one in catalogue.models.values() if "image" in one.output_modalities), key=lambda one: one.id)
        return reply({"data": [_model_view(one, catalogue.endpoints_of(one.id)) for one in makers]})

    async def read_endpoints(self, call: Call) -> Reply:
        """`GET /images/models/{author}/{slug}/endpoints`: who makes images with the model."""
        catalogue = self._catalogue()
        slug = f"{call.path['author']}/{call.path['slug']}"
        found = catalogue.resolve(slug)
        if found is None or "image" not in found.model.output_modalities:
            raise ApiError("not_found", f"Image model {slug[:_LONGEST_ECHO]} not found")
        views = [_endpoint_view(one, found.model) for one in catalogue.endpoints_of(found.model.id)]
        return reply({"id": found.model.id, "endpoints": views})


def _model_view(model: Model, endpoints: Sequence[Endpoint]) -> View:
    return {
        "id": model.id,
        "name": model.name,
        "description": model.description,
        "created": model.created,
        "architecture": {"input_modalities": [*model.input_modalities], "output_modalities": [*model.output_modalities]},
        "supported_parameters": _parameters(model),
        "supports_streaming": any(_streams(one) for one in endpoints),
        "endpoints": f"/api/v1/images/models/{model.id}/endpoints",
    }


def _endpoint_view(endpoint: Endpoint, model: Model) -> View:
    return {
        "provider_name": endpoint.provider_name,
        "provider_slug": endpoint.provider,
        "provider_tag": endpoint.tag,
        "supported_parameters": _parameters(model),
        "allowed_passthrough_parameters": [*quirks_of(endpoint, "images").passthrough],
        "supports_streaming": _streams(endpoint),
        "pricing": _lines(endpoint),
    }


def _streams(endpoint: Endpoint) -> bool:
    return quirks_of(endpoint, "images").stream


def _parameters(model: Model) -> Mapping[str, View]:
    known = _BY_CONVERSATION if "text" in model.output_modalities else _BY_GENERATION
    return {name: view for name, view in known.items() if name != "input_references" or "image" in model.input_modalities}


def _lines(endpoint: Endpoint) -> builtins.list[View]:
    """What is charged, each with its unit; `completion` stands where image tokens have no price of their own."""
    price, per_unit = endpoint.pricing, quirks_of(endpoint, "images").per_unit
    output = price.image_output if per_unit or price.image_output is not None else price.completion
    rates: Iterable[tuple[str, str, int | None]] = (
        ("output_image", "image" if per_unit else "token", output),
        ("input_text", "token", price.prompt),
        ("input_image", "token", price.image),
    )
    return [{"billable": name, "unit": unit, "cost_usd": usd(rate)} for name, unit, rate in rates if rate is not None]
