"""What each operation is charged by, to the pico-dollar."""

import pytest
from endpoints import endpoint
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trunkline.metering.cost import MAX_COST
from trunkline.metering.units import input_unit, price_operation
from trunkline.protocol.catalogue import Pricing
from trunkline.protocol.quirks import OperationQuirks, Quirks
from trunkline.protocol.usage import Cost, Units, Usage

PRICE = Pricing(prompt=3, completion=5, request=100, image=7, image_output=11, audio=13)


@pytest.mark.parametrize(
    ("operation", "usage", "units", "per_unit", "expected"),
    [
        ("embeddings", Usage(10), Units(), False, Cost(130, 30, 0)),
        ("rerank", Usage(10), Units(), False, Cost(130, 30, 0)),
        ("rerank", Usage(), Units(searches=4), False, Cost(400, 0, 0)),
        ("speech", Usage(), Units(characters=20), False, Cost(160, 60, 0)),
        ("transcription", Usage(10, 2, input_audio=10), Units(milliseconds=9200), False, Cost(240, 130, 10)),
        ("transcription", Usage(), Units(milliseconds=9200), True, Cost(128, 28, 0)),
        ("images", Usage(10, 100, input_image=4, output_image=100), Units(images=2), False, Cost(1246, 46, 1100)),
        ("images", Usage(10, 100), Units(images=2), True, Cost(152, 30, 22)),
    ],
)
def test_a_golden_table(operation: str, usage: Usage, units: Units, per_unit: bool, expected: Cost) -> None:
    assert price_operation(operation, usage, units, PRICE, per_unit=per_unit) == expected


@given(
    st.sampled_from(["embeddings", "rerank", "speech", "transcription", "images"]),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.integers(0, 10**15),
    st.booleans(),
)
def test_a_cost_is_never_negative_nor_above_the_bound(operation: str, tokens: int, units: int, rate: int, per_unit: bool) -> None:
    price = Pricing(prompt=rate, completion=rate, request=rate, image_output=rate)
    many = Units(units, units, units, units)
    cost = price_operation(operation, Usage(tokens, tokens), many, price, per_unit=per_unit)
    assert 0 <= cost.prompt <= MAX_COST and 0 <= cost.completion <= MAX_COST and 0 <= cost.total <= MAX_COST


def test_a_free_model_costs_nothing() -> None:
    for operation in ("embeddings", "rerank", "speech", "transcription", "images"):
        assert price_operation(operation, Usage(5, 5), Units(1, 1, 1, 1), Pricing(), per_unit=True) == Cost()


@pytest.mark.parametrize(
    ("outputs", "per_unit", "unit"),
    [
        (("text",), False, "tokens"),
        (("speech",), False, "characters"),
        (("transcription",), True, "seconds"),
        (("transcription",), False, "tokens"),
    ],
)
def test_a_price_list_says_what_its_prices_are_for(outputs: tuple[str, ...], per_unit: bool, unit: str) -> None:
    quirks = Quirks(operations={"transcription": OperationQuirks(per_unit=per_unit)})
    assert input_unit(replace(endpoint("one"), quirks=quirks), outputs) == unit
