"""Contract 2.7: an effort that a model lacks becomes the nearest that it has, on all slugs."""

import pytest
from endpoints import endpoint
from msgspec import structs

from trunkline.catalogue.efforts import fitted
from trunkline.catalogue.load import load
from trunkline.protocol.catalogue import Reasoning
from trunkline.protocol.quirks import Quirks

THREE = ("high", "medium", "low")


@pytest.mark.parametrize(
    ("supported", "said", "words"),
    [
        (THREE, {}, {"max": "high", "xhigh": "high", "minimal": "low"}),
        (("xhigh", "high"), {"xhigh": "max"}, {"xhigh": "max", "max": "max", "medium": "high", "low": "high", "minimal": "high"}),
        (THREE, {"minimal": "", "max": "medium"}, {"minimal": "", "max": "medium", "xhigh": "high"}),
        (("high", "none"), {}, dict.fromkeys(("max", "xhigh", "medium", "low", "minimal"), "high")),
        (("max", "xhigh", "high", "medium", "low", "minimal"), {}, {}),
        (("none",), {}, {}),
    ],
)
def test_what_lacks_becomes_the_nearest(supported: tuple[str, ...], said: dict[str, str], words: dict[str, str]) -> None:
    before = endpoint("x", quirks=Quirks(effort_map=said))
    after = fitted(before, Reasoning(supported_efforts=supported))
    assert after.quirks.effort_map == words
    assert (after is before) is (words == said)


def test_where_nobody_knows_or_the_upstream_knows_better_nothing_changes() -> None:
    plain = endpoint("x")
    native = structs.replace(plain, quirks=Quirks(native_reasoning=True))
    assert fitted(plain, None) is plain
    assert fitted(plain, Reasoning()) is plain
    assert fitted(native, Reasoning(supported_efforts=THREE)) is native


def test_no_endpoint_of_the_catalogue_is_asked_for_an_effort_that_its_model_lacks() -> None:
    catalogue = load(None, {})
    for one in catalogue.endpoints.values():
        reasoning = catalogue.models[one.model].reasoning
        if reasoning is not None and reasoning.supported_efforts and not one.quirks.native_reasoning:
            known = {*reasoning.supported_efforts, *one.quirks.effort_map, "none"}
            assert known == {"max", "xhigh", "high", "medium", "low", "minimal", "none"}, one.id
