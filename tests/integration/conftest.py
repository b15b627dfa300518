"""The servers that integration tests talk to."""

from postgres_server import both_settings, database_url, new_database, outage, postgres
from servers import all_pairs, gateway, hasty_pairs, mock, pairs, upstream

__all__ = [
    "all_pairs",
    "both_settings",
    "database_url",
    "gateway",
    "hasty_pairs",
    "mock",
    "new_database",
    "outage",
    "pairs",
    "postgres",
    "upstream",
]
