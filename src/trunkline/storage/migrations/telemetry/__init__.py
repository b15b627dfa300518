"""Revisions of the telemetry database, oldest first."""
