"""Who is calling."""

from trunkline.protocol.principal import Principal


def test_a_key_without_a_limit_is_not_limited() -> None:
    principal = Principal("hash", "inference", "name", "label", "workspace")
    assert not principal.limited
    assert principal.expires_at is None
