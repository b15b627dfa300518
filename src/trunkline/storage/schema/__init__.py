"""The tables, as SQLAlchemy metadata: `control` (keys, ledger, leases, settings) and `telemetry` (generations, roll-ups).

They are two databases on purpose: money is written with a sync to disk, statistics are not, and nothing relies on a commit across both.
Each module also lists its `REVISIONS`, oldest first; a test proves that the metadata equals what the migrations build.
"""
