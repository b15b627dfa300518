"""Alembic's environment (`env.py`) and the revisions of each database in its own folder.

A released revision is never edited; a change of the schema is a new revision, the same change in `storage.schema`, and its number in
`REVISIONS` there. With a release its schema is stored as a dump (CONTRIBUTING.md, "Tests").
"""
