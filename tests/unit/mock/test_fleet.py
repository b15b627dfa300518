import asyncio
import socket

import pytest

from trunkline.errors import ConfigError
from trunkline.mock.fleet import Fleet
from trunkline.mock.script import Member


def test_every_member_listens_at_its_own_port_until_all_are_closed() -> None:
    async def run() -> None:
        fleet = Fleet([Member(name="a"), Member(name="b")])
        await fleet.open()
        ports = [listener.port for listener in fleet.listeners.values()]
        assert len(set(ports)) == 2
        for port in ports:
            socket.create_connection(("127.0.0.1", port), timeout=30).close()
        await fleet.close()
        for port in ports:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=30)

    asyncio.run(run())


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="one name"):
        Fleet([Member(name="a"), Member(name="a")])
