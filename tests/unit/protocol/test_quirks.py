"""Quirks are data: unknown flags are refused, the default is a plain server."""

import msgspec
import pytest

from trunkline.protocol.quirks import Quirks


def test_a_misspelt_quirk_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="max_token_key"):
        msgspec.convert({"max_token_key": "max_tokens"}, Quirks)


def test_the_default_changes_nothing_but_asks_for_usage() -> None:
    plain = Quirks()
    assert (plain.drop, plain.rename, plain.set, plain.tools, plain.json_schema) == ((), {}, {}, "native", "native")
    assert plain.stream_usage == "on_request"
