"""A caller's own key: what it says when nothing but its place is said."""

from trunkline.protocol.own_keys import OwnKey


def test_a_key_serves_before_the_instance_and_for_everything_unless_it_says_otherwise() -> None:
    key = OwnKey(id="k", provider="acme", source="own:k")
    assert (key.fallback, key.always, key.models, key.key_hashes, key.user_ids) == (False, False, None, None, None)
    assert "secret" not in repr(key)
