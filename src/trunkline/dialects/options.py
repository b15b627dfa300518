"""The `provider` object of operations that pass options on to providers (`provider.options`, by the provider's slug)."""

from typing import Any

from trunkline.dialects.preferences import PreferencesWire


class OptionsWire(PreferencesWire):
    """Preferences with options."""

    options: dict[str, dict[str, Any]] | None = None


def options(wire: OptionsWire | None) -> dict[str, dict[str, object]]:
    """The options by provider."""
    return {} if wire is None or wire.options is None else wire.options
