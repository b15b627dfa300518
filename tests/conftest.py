"""What holds for every test: no key, proxy or Trunkline setting of the machine is seen, and long tests run only when asked for,
and no property fails because the machine is slow."""

import os

import environment
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure() -> None:
    """Takes the private variables out before any test module is imported."""
    for name in environment.private_names(list(os.environ), environment.declared_names()):
        del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the long tests out unless `-m` says something about them."""
    if "long" in config.getoption("-m"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
