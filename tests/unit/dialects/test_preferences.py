import msgspec
import pytest

from trunkline.dialects.preferences import PreferencesWire, preferences
from trunkline.errors import ApiError
from trunkline.protocol.routing import MaxPrice, Preferences


def parsed(**fields: object) -> Preferences:
    return preferences(msgspec.convert(fields, PreferencesWire))


def test_absent_and_null_mean_the_default() -> None:
    assert preferences(None) == parsed() == Preferences()
    assert parsed(**dict.fromkeys(PreferencesWire.__struct_fields__)) == Preferences()


def test_reads_every_field() -> None:
    got = parsed(
        order=["a", "b/turbo"],
        only=[],
        ignore=["c"],
        allow_fallbacks=False,
        require_parameters=True,
        data_collection="deny",
        zdr=True,
        quantizations=["fp8"],
        sort="price",
    )
    assert got == Preferences(
        order=("a", "b/turbo"),
        only=(),
        ignore=("c",),
        allow_fallbacks=False,
        require_parameters=True,
        data_collection="deny",
        zdr=True,
        quantizations=("fp8",),
        sort="price",
    )


def test_max_price_is_usd_a_million_tokens_as_number_or_string() -> None:
    want = MaxPrice(prompt=1_000_000, completion=2_500_000, request=10**10, image=None)
    assert parsed(max_price={"prompt": 1, "completion": "2.5", "request": 0.01}).max_price == want


def test_sort_may_be_an_object() -> None:
    assert parsed(sort={"by": "throughput", "partition": "none"}).sort == "throughput"
    assert parsed(sort={"partition": "model"}).sort is None


def test_fields_without_effect_are_checked() -> None:
    assert parsed(preferred_min_throughput={"p90": 50}, preferred_max_latency=3, enforce_distillable_text=True) == Preferences()
    with pytest.raises(msgspec.ValidationError):
        parsed(preferred_max_latency="fast")


@pytest.mark.parametrize("amount", ["cheap", "-1", "NaN", "Infinity", -0.5, "1e12"])
def test_refuses_prices_that_are_no_amount(amount: object) -> None:
    with pytest.raises(ApiError, match=r"provider\.max_price\.prompt"):
        parsed(max_price={"prompt": amount})


@pytest.mark.parametrize(
    "fields", [{"order": "a"}, {"quantizations": ["fp7"]}, {"sort": "cheapest"}, {"data_collection": "no"}, {"zdr": 1}]
)
def test_refuses_wrong_types(fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        parsed(**fields)
