import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.accounts.keys import KeyChanges, Keys, NewKey
from trunkline.auth import authenticator as authenticator_room
from trunkline.auth.authenticator import Authenticator, bearer_token
from trunkline.auth.directory import KeyDirectory, KnownKey
from trunkline.errors import ApiError, StorageUnavailable
from trunkline.storage.engines import Storage

UNKNOWN = b"Bearer sk-or-v1-" + b"0" * 64


class CountingDirectory(KeyDirectory):
    """A directory that counts how often the database is asked, and can lose it."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.asked = 0
        self.away = False

    async def look_up(self, digest: bytes) -> KnownKey | None:
        self.asked += 1
        if self.away:
            raise StorageUnavailable("gone")
        return await super().look_up(digest)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


Scenario = Callable[[Keys, CountingDirectory, Authenticator, Clock], Awaitable[None]]


@pytest.fixture
def run(storage: Storage) -> Callable[[Scenario], None]:
    def runner(scenario: Scenario) -> None:
        async def whole() -> None:
            directory, clock = CountingDirectory(storage), Clock()
            keys = Keys(storage, clock=lambda: int(clock.now * 1000))
            await scenario(keys, directory, Authenticator(directory, clock=clock, ticks=clock), clock)
            await storage.control.dispose()

        asyncio.run(whole())

    return runner


async def _refused(authenticator: Authenticator, authorization: bytes | None) -> str:
    with pytest.raises(ApiError) as refused:
        await authenticator.authenticate(authorization)
    assert (refused.value.status, refused.value.error_type) == (401, "authentication")
    assert refused.value.headers == (("WWW-Authenticate", "Bearer"), ("x-should-retry", "false"))
    return refused.value.message


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "Missing Authentication header"),
        (b"", "Missing Authentication header"),
        (b"Basic abc", "must be: Bearer"),
        (b"sk-or-v1-abc", "must be: Bearer"),
        (b"Bearer", "no API key"),
        (b"Bearer   ", "no API key"),
    ],
)
def test_the_header_must_be_there_and_have_the_form(authorization: bytes | None, message: str) -> None:
    with pytest.raises(ApiError, match=message):
        bearer_token(authorization)


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER   "])
def test_the_scheme_has_no_case(scheme: bytes) -> None:
    assert bearer_token(scheme + b"secret ") == "secret"


@given(st.binary(max_size=200))
def test_no_header_breaks_the_parser(authorization: bytes) -> None:
    try:
        assert bearer_token(authorization)
    except ApiError as error:
        assert error.status == 401


def test_a_key_is_known_by_its_header_after_the_first_time(run: Callable[[Scenario], None]) -> None:
    async def scenario(keys: Keys, directory: CountingDirectory, authenticator: Authenticator, _: Clock) -> None:
        created, secret = await keys.create(NewKey(name="app"))
        header = f"Bearer {secret}".encode()
        assert authenticator.known(header) is None
        principal = await authenticator.authenticate(header)
        assert principal.key_hash == created.record.hash
        assert authenticator.known(header) is principal
        assert await authenticator.authenticate(f"bearer {secret}".encode()) is principal
        assert directory.asked == 1

    run(scenario)


def test_what_has_not_the_form_of_a_key_asks_nobody(run: Callable[[Scenario], None]) -> None:
    async def scenario(_: Keys, directory: CountingDirectory, authenticator: Authenticator, __: Clock) -> None:
        for token in (b"xyzzy", b"sk-or-v1-" + b"A" * 64, b"' OR 1=1", "é".encode(), b"sk-or-v1-" + b"0" * 65):
            message = await _refused(authenticator, b"Bearer " + token)
            assert token.decode() not in message
        assert directory.asked == 0

    run(scenario)


def test_an_unknown_key_asks_the_database_once_a_second(run: Callable[[Scenario], None]) -> None:
    async def scenario(_: Keys, directory: CountingDirectory, authenticator: Authenticator, clock: Clock) -> None:
        for _attempt in range(3):
            assert await _refused(authenticator, UNKNOWN) == "Invalid API key"
        assert directory.asked == 1
        clock.now += 1.0
        await _refused(authenticator, UNKNOWN)
        assert directory.asked == 2

    run(scenario)


def test_switching_a_key_off_ends_it_and_on_again_revives_it(run: Callable[[Scenario], None]) -> None:
    async def scenario(keys: Keys, directory: CountingDirectory, authenticator: Authenticator, _: Clock) -> None:
        created, secret = await keys.create(NewKey(name="app"))
        header, key = f"Bearer {secret}".encode(), created.record.hash
        await authenticator.authenticate(header)
        await keys.update(key, KeyChanges(disabled=True))
        await directory.refresh()
        assert authenticator.known(header) is None
        assert "disabled" in await _refused(authenticator, header)
        await keys.update(key, KeyChanges(disabled=False, limit=5))
        await directory.refresh()
        assert (await authenticator.authenticate(header)).limited
        await keys.delete(key)
        await directory.refresh()
        assert authenticator.known(header) is None
        assert "deleted" in await _refused(authenticator, header)

    run(scenario)


def test_a_key_ends_at_its_expiry_to_the_second(run: Callable[[Scenario], None]) -> None:
    async def scenario(keys: Keys, _: CountingDirectory, authenticator: Authenticator, clock: Clock) -> None:
        _created, secret = await keys.create(NewKey(name="app", expires_ms=int(clock.now * 1000) + 1_000))
        header = f"Bearer {secret}".encode()
        await authenticator.authenticate(header)
        clock.now += 0.999
        assert authenticator.known(header) is not None
        clock.now += 0.001
        assert authenticator.known(header) is None
        assert "expired" in await _refused(authenticator, header)

    run(scenario)


def test_without_database_known_keys_work_and_unknown_ones_are_never_401(run: Callable[[Scenario], None]) -> None:
    async def scenario(keys: Keys, directory: CountingDirectory, authenticator: Authenticator, clock: Clock) -> None:
        _created, secret = await keys.create(NewKey(name="app"))
        await directory.refresh()
        directory.away = True
        assert await authenticator.authenticate(f"Bearer {secret}".encode())
        for _attempt in range(2):
            with pytest.raises(StorageUnavailable):
                await authenticator.authenticate(UNKNOWN)
        assert directory.asked == 1
        directory.away = False
        clock.now += 1.0
        await _refused(authenticator, UNKNOWN)

    run(scenario)


def test_memory_is_bounded(run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticator_room, "MAX_HEADERS", 3)
    monkeypatch.setattr(authenticator_room, "MAX_UNKNOWN", 3)

    async def scenario(keys: Keys, directory: CountingDirectory, authenticator: Authenticator, _: Clock) -> None:
        _created, secret = await keys.create(NewKey(name="app"))
        headers = [f"Bearer{' ' * spaces}{secret}".encode() for spaces in range(1, 6)]
        for header in [*headers, b"Bearer" + b" " * 600 + secret.encode()]:
            await authenticator.authenticate(header)
        assert [authenticator.known(header) is not None for header in headers] == [False, False, True, True, True]
        for number in range(5):
            await _refused(authenticator, f"Bearer sk-or-v1-{number:064x}".encode())
        assert len(authenticator._unknown) <= 3

    run(scenario)
