"""Many endpoints at once, each with its port, its script and its spells, on one clock: a small market of providers to route in.

[[fleet]]
name = "fast"
port = 9101
[[fleet.spells]]                            # down from the 60th second to the 90th
start = 60
end = 90
fault = { kind = "status", status = 503 }

[[fleet]]
name = "slow"
port = 9102
spells = [{ end = 20, pace = { head_ms = 3000 } }, { rate = 5, fault = { kind = "status", status = 429, retry_after = 1 } }]
"""

from collections.abc import Sequence

from trunkline.errors import ConfigError
from trunkline.mock.listener import MockListener
from trunkline.mock.script import Member


class Fleet:
    """The listeners of the members, by name. Raises ConfigError for two of one name."""

    def __init__(self, members: Sequence[Member], *, host: str = "127.0.0.1") -> None:
        self.listeners = {member.name: MockListener(member, host=host, port=member.port) for member in members}
        if len(self.listeners) < len(members):
            raise ConfigError("fleet", "two members have one name", "a name of its own for each member")

    async def open(self) -> None:
        """All of them listen, and their clocks start together. Raises OSError if a port is taken."""
        for listener in self.listeners.values():
            await listener.open()
        self.restart()

    def restart(self) -> None:
        """Sets the clocks of all spells to zero."""
        for listener in self.listeners.values():
            listener.responder.restart()

    async def close(self) -> None:
        """None of them listens any more; the connections that are left are reset."""
        for listener in self.listeners.values():
            await listener.close()
