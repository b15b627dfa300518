"""The nouns of the catalogue: cautious defaults."""

import msgspec
import pytest

from trunkline.protocol.catalogue import Auth, DataPolicy, Endpoint, Pricing, Provider


def endpoint() -> Endpoint:
    return Endpoint(
        id="a/b@p",
        model="a/b",
        provider="p",
        provider_name="P",
        tag="p",
        dialect="chat",
        base_url="http://h",
        upstream_model="b",
        pricing=Pricing(),
    )


def test_an_unknown_data_policy_retains_and_trains() -> None:
    assert endpoint().data_policy == DataPolicy(training=True, retention_days=None, zdr=False)


def test_a_base_url_is_not_the_operators_unless_it_says_so() -> None:
    assert not endpoint().operator_url
    assert not Provider(slug="p", name="P").operator_url


def test_nouns_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        endpoint().base_url = "http://elsewhere"  # type: ignore[misc]


def test_where_a_secret_comes_from_is_not_the_secret() -> None:
    auth = Auth(source="env:ACME_API_KEY")
    assert msgspec.to_builtins(auth) == {"style": "bearer", "header": "authorization", "source": "env:ACME_API_KEY"}
