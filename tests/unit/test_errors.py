"""The tree of errors, and the statuses of the contract's error types."""

import inspect

import pytest

from trunkline import errors
from trunkline.errors import STATUS_OF_TYPE, ApiError, ConfigError, TrunklineError, UpstreamError, UpstreamRefused, UpstreamTimeout


def classes() -> list[type[TrunklineError]]:
    return [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, TrunklineError)]


@pytest.mark.parametrize("one", classes())
def test_the_tree_in_the_docstring_names_every_error(one: type[TrunklineError]) -> None:
    assert one.__name__ in (errors.__doc__ or "")


def test_there_are_the_27_types_of_the_contract() -> None:
    assert len(STATUS_OF_TYPE) == 27
    assert ApiError("rate_limit_exceeded", "slow").status == 429
    assert ApiError("provider_overloaded", "busy", status=529).status == 529


def test_a_config_error_says_where_what_and_what_instead() -> None:
    error = ConfigError("trunkline.toml: port", "'x' is no number", "8787")
    assert str(error) == "trunkline.toml: port: 'x' is no number. Write instead: 8787"
    assert str(ConfigError("there", "wrong")) == "there: wrong"


def test_upstream_errors_carry_their_class() -> None:
    assert UpstreamTimeout("head", 3).kind == "timeout"
    assert "head took longer than 3 s" in str(UpstreamTimeout("head", 3))
    refused = UpstreamRefused("rate_limit", "slow down", status=429, retry_after=2.0)
    assert (refused.kind, refused.status, refused.retry_after) == ("rate_limit", 429, 2.0)
    assert UpstreamError("x").status == 0
