"""The running account of an upstream's tokens: snapshots of `message_start` and `message_delta` merged, and put right for metering."""

from collections.abc import Mapping

from trunkline.dialects.hub.answer import merged

Raw = dict[str, object]

_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_TTLS = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
_OWN = frozenset(("message", "compaction"))
"""Iterations that the model itself is paid for. An advisor's are another model's."""


class Account:
    """`told` is what the upstream said last; `counted` what was used, in the same names."""

    def __init__(self) -> None:
        self.told: Raw = {}
        self.counted: Raw = {}

    def take(self, snapshot: Mapping[str, object]) -> None:
        """Take a cumulative snapshot. Its counts replace earlier ones; a 0 or null takes nothing back, but for an account by iterations,
        which is exact."""
        given = {key: value for key, value in snapshot.items() if value is not None}
        self.told = {**self.told, **given} if "iterations" in given else merged(self.told, given)
        self.counted = _whole(merged(self.counted, given))


def _whole(usage: Raw) -> Raw:
    """Usage whose counts include a compaction (Anthropic leaves that out of its totals), and whose cache writes add up."""
    items = usage.get("iterations")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    if any(item.get("type") == "compaction" for item in found):
        own = [item for item in found if item.get("type") in _OWN]
        usage = {**usage, **{key: sum(_count(item.get(key)) for item in own) for key in _COUNTS}}
    parts = usage.get("cache_creation")
    written = _count(usage.get("cache_creation_input_tokens"))
    if isinstance(parts, dict) and written > sum(_count(parts.get(key)) for key in _TTLS):
        long = _count(parts.get(_TTLS[1]))
        usage = {**usage, "cache_creation": {**parts, _TTLS[0]: written - long}}
    return usage


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
