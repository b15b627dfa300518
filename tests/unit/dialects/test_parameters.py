from trunkline.dialects.parameters import ALIASES, PARAMETERS


def test_aliases_lead_from_parameter_to_parameter() -> None:
    assert ALIASES.keys() <= PARAMETERS
    assert set(ALIASES.values()) <= PARAMETERS
    assert not set(ALIASES.values()) & ALIASES.keys()
