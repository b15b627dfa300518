import msgspec
import pytest

from trunkline.catalogue.models_dev_feed import read
from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Auth, Provider

ACME = Provider(slug="acme", name="Acme", base_url="https://api.acme.example/v1", auth=Auth(source="env:ACME_API_KEY"))
MODEL = {"id": "echo-1", "cost": {"input": 1, "output": 2.5, "cache_read": 0.075}, "limit": {"context": 128000, "output": 4096}}


def vendor(**changes: object) -> dict[str, object]:
    return {"id": "x", "env": ["X"], "models": {"echo-1": MODEL}, **changes}


def test_a_vendors_own_price() -> None:
    feed = read(msgspec.json.encode({"acme": vendor()}), "api.json", [ACME])
    row = feed.rows["acme", "echo-1"]
    assert row.rates == {"prompt": 1_000_000, "completion": 2_500_000, "input_cache_read": 75_000}
    assert (row.context_length, row.max_completion_tokens, row.model, row.overrides) == (128000, 4096, None, None)
    assert (feed.providers, feed.complete) == ({"acme"}, False)


@pytest.mark.parametrize(
    "vendors",
    [
        {"acme": vendor()},
        {"acme-ai": vendor(api="https://api.acme.example/v1/")},
        {"acme-ai": vendor(env=["ACME_API_KEY"]), "other": vendor()},
    ],
)
def test_a_vendor_is_found_by_slug_address_or_key(vendors: dict[str, object]) -> None:
    assert read(msgspec.json.encode(vendors), "api.json", [ACME]).providers == {"acme"}


def test_two_vendors_with_one_key_are_none() -> None:
    vendors = {"a": vendor(env=["ACME_API_KEY"]), "b": vendor(env=["ACME_API_KEY"])}
    assert read(msgspec.json.encode(vendors), "api.json", [ACME]).providers == frozenset()


def test_two_vendors_at_one_address_are_one() -> None:
    vendors = {"a": vendor(api=ACME.base_url), "b": vendor(api=ACME.base_url, models={"echo-2": MODEL})}
    assert set(read(msgspec.json.encode(vendors), "api.json", [ACME]).rows) == {("acme", "echo-1"), ("acme", "echo-2")}


def test_the_providers_prefix_and_models_without_a_price() -> None:
    provider = Provider(slug="acme", name="Acme", model_prefix="m/")
    feed = read(msgspec.json.encode({"acme": vendor(models={"a": {}, "m/b": MODEL})}), "api.json", [provider])
    assert feed.rows["acme", "m/a"].rates == {}
    assert feed.rows["acme", "m/b"].rates["prompt"] == 1_000_000


@pytest.mark.parametrize(
    "models",
    [{"echo-1": {"cost": {"input": -1, "output": 1}}}, {"echo-1": {"cost": {"input": 1}}}, {"echo-1": []}, {"x" * 300: MODEL}, "none"],
)
def test_bad_lists(models: object) -> None:
    with pytest.raises(ConfigError, match=r"^api.json: this is not the list"):
        read(msgspec.json.encode({"acme": vendor(models=models)}), "api.json", [ACME])
