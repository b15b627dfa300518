"""The servers that contract tests talk to."""

from servers import gateway, mock, pairs, upstream

__all__ = ["gateway", "mock", "pairs", "upstream"]
