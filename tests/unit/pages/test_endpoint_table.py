"""The providers of a model."""

import pytest

from trunkline.catalogue.catalogue import Catalogue
from trunkline.pages import endpoint_table
from trunkline.pages.endpoint_table import Tier
from trunkline.pages.formats import NOTHING
from trunkline.protocol.catalogue import DataPolicy


def test_what_can_be_called_comes_before_what_is_cheaper(catalogue: Catalogue) -> None:
    acme, zeta = endpoint_table.rows_of(catalogue, "acme/echo-1")
    assert (acme.provider, acme.tag, acme.quantization, acme.context, acme.max_output) == ("Acme", "acme", NOTHING, "128K", NOTHING)
    assert (acme.readiness.state, acme.policy, acme.extras) == ("ready", "May keep and train", ())
    assert (zeta.quantization, zeta.max_output, zeta.policy) == ("fp8", "4.1K", "Kept 30 days, not trained on")
    assert zeta.readiness.missing == ("ZETA_API_KEY", "ZETA_BASE_URL")


def test_prices_with_their_conditions(catalogue: Catalogue) -> None:
    zeta = endpoint_table.rows_of(catalogue, "acme/echo-1")[1]
    assert zeta.tiers == (
        Tier("", "$0.50", "$1.50", "$0.05", "$0.625"),
        Tier("above 64K in, 22:00 to 06:30 UTC", "$1", "$1.50", "$0.05", "$0.625"),
    )
    assert zeta.extras == ("web search $10 per 1K",)


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (DataPolicy(), "May keep and train"),
        (DataPolicy(training=False), "Not trained on"),
        (DataPolicy(training=False, retention_days=1), "Kept 1 day, not trained on"),
        (DataPolicy(training=False, retention_days=0), "Nothing kept"),
        (DataPolicy(training=False, zdr=True), "Nothing kept"),
        (DataPolicy(training=True, retention_days=0), "May keep and train"),
    ],
)
def test_policies_in_words(policy: DataPolicy, text: str) -> None:
    assert endpoint_table.policy_text(policy) == text
