"""The words between router and pipeline."""

from trunkline.protocol.routing import Plan, Preferences


def test_nothing_is_preferred_by_default() -> None:
    preferences = Preferences()
    assert preferences.allow_fallbacks
    assert preferences.only is None
    assert not (preferences.order or preferences.ignore or preferences.zdr or preferences.require_parameters)
    assert preferences.data_collection == "allow"


def test_an_empty_plan_is_empty() -> None:
    assert Plan(()).attempts == ()
