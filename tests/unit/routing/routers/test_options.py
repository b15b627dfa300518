from typing import Any

import msgspec
import pytest
from msgspec import Raw

from trunkline.errors import ApiError
from trunkline.routing.routers.options import AutoBetaOptions, AutoOptions, ParetoOptions, options_of


def fields(*plugins: dict[str, Any]) -> dict[str, Raw]:
    return {"plugins": Raw(msgspec.json.encode(plugins))}


def test_each_router_reads_its_own_entry_and_the_later_of_two() -> None:
    given = fields(
        {"id": "web"},
        {"id": "auto-router", "cost_tier": "max"},
        {"id": "auto-beta-router", "cost_tier": "high"},
        {"id": "auto-router", "cost_tier": "low", "pin_model": True},
    )
    auto = options_of(given, "auto-router", AutoOptions)
    assert (auto.cost_tier, auto.pin_model) == ("low", True)
    assert options_of(given, "auto-beta-router", AutoBetaOptions).cost_tier == "high"
    assert options_of(given, "pareto-router", ParetoOptions) == ParetoOptions()
    assert options_of({}, "auto-router", AutoOptions) == AutoOptions()


def test_an_entry_that_is_switched_off_says_nothing() -> None:
    given = fields({"id": "auto-router", "enabled": False, "allowed_models": ["a/*"]})
    assert options_of(given, "auto-router", AutoOptions).allowed_models is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"allowed_models": ["x"] * 1025}, "length <= 1024"),
        ({"allowed_models": ["x" * 1025]}, "length <= 1024"),
        ({"excluded_models": ["x" * 1024] * 65}, "plugins[0].excluded_models: More than 65536 characters"),
        ({"allowed_models": "a/*"}, "Expected `array"),
        ({"cost_tier": "huge"}, "Invalid enum value 'huge'"),
        ({"cost_quality_tradeoff": 11}, "<= 10"),
        ({"pin_model": 1}, "Expected `bool | null`"),
        ({"min_coding_score": 0.5}, "unknown field `min_coding_score`"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ApiError) as caught:
        options_of(fields({"id": "auto-router", **options}), "auto-router", AutoOptions)
    assert caught.value.status == 400
    assert caught.value.message.startswith("plugins[0]")
    assert problem in caught.value.message


@pytest.mark.parametrize("raw", [b'{"id": "x"}', b"[1]", b"[{}]", b'"x"'])
def test_plugins_that_are_no_list_of_entries(raw: bytes) -> None:
    with pytest.raises(ApiError, match="plugins"):
        options_of({"plugins": Raw(raw)}, "auto-router", AutoOptions)


def test_no_plugins() -> None:
    assert options_of({"plugins": Raw(b"null")}, "pareto-router", ParetoOptions) == ParetoOptions()
