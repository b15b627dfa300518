"""Every test of this room runs on each engine."""

from postgres_server import both_settings as settings
from postgres_server import both_storage as storage

__all__ = ["settings", "storage"]
