"""Options for providers."""

import msgspec

from trunkline.dialects.options import OptionsWire, options
from trunkline.dialects.preferences import preferences


def test_options_are_by_provider_and_preferences_hold_beside_them() -> None:
    wire = msgspec.json.decode(b'{"order":["x"],"options":{"x":{"style":"oil"}}}', type=OptionsWire)
    assert options(wire) == {"x": {"style": "oil"}}
    assert preferences(wire).order == ("x",)
    assert options(None) == options(OptionsWire()) == {}
