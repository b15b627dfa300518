"""Text to speech (contract 5.8): `request` reads what a caller sends; each other module is a form in which upstreams offer the operation.

An answer is sound, passed through as it comes. A form's `read` looks at its first bytes only.
"""
