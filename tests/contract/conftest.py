"""The servers that contract tests talk to."""

from servers import all_pairs, gateway, mock, pairs, upstream

__all__ = ["all_pairs", "gateway", "mock", "pairs", "upstream"]
