"""The `provider` object: what is read, what is refused and under which name, and that no mistake widens a request."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.chat.request import parse
from trunkline.dialects.preferences import MAX_SLUGS, PreferencesWire, Route, preferences
from trunkline.errors import ApiError
from trunkline.protocol.routing import NO_PREFERENCES, Cutoffs, MaxPrice, Preferences


def parsed(route: Route | None = None, **fields: object) -> Preferences:
    return preferences(msgspec.convert(fields, PreferencesWire), route)


def sent(provider: object, **fields: object) -> Preferences:
    """The preferences of a whole request."""
    body = {"model": "a/m", "messages": [{"role": "user", "content": "hi"}], "provider": provider, **fields}
    return parse(msgspec.json.encode(body)).preferences


def test_absent_and_null_mean_the_default() -> None:
    assert preferences(None) is NO_PREFERENCES
    assert parsed() is NO_PREFERENCES
    assert parsed(**dict.fromkeys(PreferencesWire.__struct_fields__)) is NO_PREFERENCES
    assert parsed(order=[], ignore=[], max_price={}, preferred_max_latency={}) is NO_PREFERENCES


def test_reads_every_field() -> None:
    got = parsed(
        order=["a", "b/turbo"],
        only=["a", "b"],
        ignore=["c"],
        allow_fallbacks=False,
        require_parameters=True,
        data_collection="deny",
        zdr=True,
        quantizations=["fp8"],
        sort={"by": "latency", "partition": "none"},
        max_price={"prompt": 1},
        enforce_distillable_text=True,
        preferred_min_throughput=100,
        preferred_max_latency={"p50": 1, "p90": 3.5},
    )
    assert got == Preferences(
        order=("a", "b/turbo"),
        only=("a", "b"),
        ignore=("c",),
        allow_fallbacks=False,
        require_parameters=True,
        data_collection="deny",
        zdr=True,
        quantizations=("fp8",),
        sort="latency",
        max_price=MaxPrice(prompt=1_000_000),
        partition="none",
        enforce_distillable_text=True,
        min_throughput=Cutoffs(p50=100),
        max_latency=Cutoffs(p50=1, p90=3.5),
    )


def test_slugs_lose_case_and_repeats_and_display_names_are_understood() -> None:
    assert parsed(order=["OpenAI", "openai", "Amazon Bedrock", " DeepInfra/Turbo "]).order == (
        "openai",
        "amazon-bedrock",
        "deepinfra/turbo",
    )


def test_max_price_is_usd_a_million_tokens_as_number_or_string() -> None:
    want = MaxPrice(prompt=1_000_000, completion=2_500_000, request=10**10, image=None, audio=2 * 10**6)
    assert parsed(max_price={"prompt": 1, "completion": "2.5", "request": 0.01, "audio": "0.000002"}).max_price == want
    assert parsed(max_price={"prompt": 0}).max_price == MaxPrice(prompt=0)


def test_sort_may_be_an_object() -> None:
    assert parsed(sort={"by": "throughput", "partition": "none"}) == Preferences(sort="throughput", partition="none")
    assert parsed(sort={"partition": "model"}) is NO_PREFERENCES


@pytest.mark.parametrize(("route", "partition"), [("fallback", "model"), ("sort", "none"), (None, "model")])
def test_route_is_the_old_word_for_the_partition(route: Route | None, partition: str) -> None:
    assert preferences(None, route).partition == partition
    assert parsed(route, sort="price") == Preferences(sort="price", partition=partition)
    assert sent(None, route=route).partition == partition


def test_route_may_say_the_same_as_the_partition_but_nothing_else() -> None:
    assert parsed("sort", sort={"partition": "none"}).partition == "none"
    with pytest.raises(ApiError, match=r"route: Contradicts provider\.sort\.partition"):
        parsed("fallback", sort={"partition": "none"})


@pytest.mark.parametrize("amount", ["cheap", "-1", "NaN", "Infinity", -0.5, "1e12", ""])
@pytest.mark.parametrize("name", MaxPrice.__struct_fields__)
def test_refuses_prices_that_are_no_amount(name: str, amount: object) -> None:
    with pytest.raises(ApiError, match=rf"provider\.max_price\.{name}: Expected an amount"):
        parsed(max_price={name: amount})


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ({"order": "a"}, "provider.order: Expected"),
        ({"order": ["a", 1]}, "provider.order[1]: Expected"),
        ({"only": []}, "provider.only: An empty list allows nothing"),
        ({"quantizations": []}, "provider.quantizations: An empty list allows nothing"),
        ({"only": [""]}, "provider.only[0]: Expected"),
        ({"ignore": ["  "]}, "provider.ignore: Expected provider slugs, got a blank one"),
        ({"order": ["x" * 129]}, "provider.order[0]: Expected"),
        ({"only": ["a"] * 10_000}, "provider.only: Expected array of length <= 256"),
        ({"order": [str(number) for number in range(10_000)]}, "provider.order: Expected array of length <= 256"),
        ({"ignore": ["a"] * (MAX_SLUGS + 1)}, "provider.ignore: Expected array of length <= 256"),
        ({"quantizations": ["fp8"] * 10_000}, "provider.quantizations: Expected array of length <= 256"),
        ({"quantizations": ["fp7"]}, "provider.quantizations[0]: Invalid enum value 'fp7'"),
        ({"sort": "cheapest"}, "provider.sort: Invalid enum value 'cheapest'"),
        ({"sort": {"by": "price", "partitions": "none"}}, "provider.sort: Object contains unknown field partitions"),
        ({"sort": {"partition": "all"}}, "provider.sort.partition: Invalid enum value"),
        ({"data_collection": "no"}, "provider.data_collection: Invalid enum value 'no'"),
        ({"zdr": 1}, "provider.zdr: Expected bool"),
        ({"allow_fallbacks": "false"}, "provider.allow_fallbacks: Expected bool"),
        ({"preferred_max_latency": "fast"}, "provider.preferred_max_latency: Expected"),
        ({"preferred_max_latency": -1}, "provider.preferred_max_latency: Expected float >= 0"),
        ({"preferred_min_throughput": {"p90": -1}}, "provider.preferred_min_throughput.p90: Expected float >= 0"),
        ({"preferred_min_throughput": {"p95": 1}}, "provider.preferred_min_throughput: Object contains unknown field p95"),
        ({"preferred_min_throughput": [1]}, "provider.preferred_min_throughput: Expected"),
        ({"max_price": 3}, "provider.max_price: Expected"),
        ({"max_price": {"prompts": 3}}, "provider.max_price: Object contains unknown field prompts"),
        ({"max_price": {"prompt": [1]}}, "provider.max_price.prompt: Expected"),
        ({"only": ["a", "B"], "ignore": ["b", "A", "c"]}, "provider.ignore: Contradicts provider.only"),
        ({"order": ["a"], "allow_fallbacks": False, "ignore": ["a"]}, "provider.ignore: Contradicts provider.order"),
        ("fast", "provider: Expected"),
    ],
)
def test_refusals_name_the_field(provider: object, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        sent(provider)
    assert caught.value.status == 400
    assert caught.value.message.startswith(words)


def test_lists_that_only_overlap_are_no_contradiction() -> None:
    assert parsed(only=["a", "b"], ignore=["a"]).only == ("a", "b")
    assert parsed(order=["a"], ignore=["a"]).order == ("a",)


def test_unknown_keys_and_options_are_passed_over() -> None:
    assert parsed(options={"openai": {"x": 1}}, brand_new=True) is NO_PREFERENCES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
VALUES = JSON | st.sampled_from(["price", "deny", "allow", ["openai"], ["fp8"], {"p90": 1}, {"by": "price"}, {"prompt": "1"}])


@given(st.dictionaries(st.sampled_from(PreferencesWire.__struct_fields__), VALUES, max_size=6))
def test_anything_sent_is_read_or_refused_with_400(provider: dict[str, object]) -> None:
    try:
        got = sent(provider)
    except ApiError as error:
        assert error.status == 400
        return
    assert got.only != ()
    assert (provider.get("zdr") is True) is got.zdr
    assert (provider.get("only") is None) is (got.only is None)
    assert (provider.get("data_collection") == "deny") is (got.data_collection == "deny")
