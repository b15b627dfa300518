"""Usage tells apart what was zero from what was not said."""

from trunkline.protocol.usage import Cost, Usage


def test_missing_is_none_and_not_zero() -> None:
    assert Usage().cache_read is None
    assert Usage(cache_read=0).cache_read == 0
    assert Cost().total == 0
