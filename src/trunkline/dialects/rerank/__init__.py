"""Reranking (contract 5.5): `request` reads what a caller sends, `answer` writes what it gets, `scores` holds the ranking, and each other
module is a form in which upstreams offer the operation."""
