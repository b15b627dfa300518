"""The servers that integration tests talk to."""

from postgres_server import both_settings, database_url, new_database, outage, postgres
from servers import gateway, mock, pairs, upstream

__all__ = ["both_settings", "database_url", "gateway", "mock", "new_database", "outage", "pairs", "postgres", "upstream"]
