import asyncio
import stat

import pytest
from msgspec.structs import replace

from trunkline.accounts.keys import KeyChanges, Keys
from trunkline.accounts.starting_keys import DEMO_LIMIT, ensure_bootstrap_keys, ensure_demo_key
from trunkline.errors import ConfigError
from trunkline.protocol.identity import is_api_key, key_hash
from trunkline.settings import Settings
from trunkline.storage.engines import Storage

SECRET = "sk-or-v1-" + "a1" * 32
MANAGEMENT = "sk-or-v1-" + "b2" * 32


def test_the_named_keys_exist_and_starting_again_changes_nothing(storage: Storage, settings: Settings) -> None:
    settings = replace(settings, bootstrap_api_key=SECRET, bootstrap_management_key=MANAGEMENT)
    for _ in range(2):
        assert asyncio.run(ensure_bootstrap_keys(storage, settings)) == ()
    kinds = {key.record.hash: key.record.kind for key in asyncio.run(Keys(storage).newest())}
    assert kinds == {key_hash(SECRET): "inference", key_hash(MANAGEMENT): "management"}


def test_workers_that_start_at_once_make_each_key_once(storage: Storage, settings: Settings) -> None:
    settings = replace(settings, bootstrap_api_key=SECRET)

    async def start() -> list[tuple[str, ...]]:
        return await asyncio.gather(*(ensure_bootstrap_keys(storage, settings) for _ in range(4)))

    assert asyncio.run(start()) == [()] * 4
    assert len(asyncio.run(Keys(storage).newest())) == 1


def test_without_names_no_key_is_made(storage: Storage, settings: Settings) -> None:
    assert asyncio.run(ensure_bootstrap_keys(storage, settings)) == ()
    assert asyncio.run(Keys(storage).newest()) == []


def test_a_key_that_was_switched_off_stays_off_with_a_warning(storage: Storage, settings: Settings) -> None:
    keys = Keys(storage)
    settings = replace(settings, bootstrap_api_key=SECRET, bootstrap_management_key=MANAGEMENT)
    asyncio.run(ensure_bootstrap_keys(storage, settings))
    asyncio.run(keys.update(key_hash(SECRET), KeyChanges(disabled=True)))
    asyncio.run(keys.delete(key_hash(MANAGEMENT)))
    warnings = asyncio.run(ensure_bootstrap_keys(storage, settings))
    assert [("disabled" in warning, "deleted" in warning) for warning in warnings] == [(True, False), (False, True)]
    assert not any(SECRET in warning or MANAGEMENT in warning for warning in warnings)
    assert asyncio.run(keys.get(key_hash(SECRET))).record.disabled


def test_a_key_of_another_kind_is_not_changed(storage: Storage, settings: Settings) -> None:
    asyncio.run(ensure_bootstrap_keys(storage, replace(settings, bootstrap_api_key=SECRET)))
    assert "kind inference" in asyncio.run(ensure_bootstrap_keys(storage, replace(settings, bootstrap_management_key=SECRET)))[0]


def test_the_demo_key_is_private_reused_and_limited(storage: Storage) -> None:
    file = asyncio.run(ensure_demo_key(storage))
    secret = file.read_text().strip()
    assert is_api_key(secret)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert asyncio.run(ensure_demo_key(storage)).read_text().strip() == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    record = asyncio.run(Keys(storage).get(key_hash(secret))).record
    assert (record.spend_limit, record.limit_reset) == (DEMO_LIMIT, "daily") == (10**12, "daily")


def test_a_demo_file_with_something_else_in_it_is_not_overwritten(storage: Storage) -> None:
    file = storage.data_dir / "demo-key"
    file.write_text("my notes")
    with pytest.raises(ConfigError, match="no API key"):
        asyncio.run(ensure_demo_key(storage))
    assert file.read_text() == "my notes"
