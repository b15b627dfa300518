"""Speech to text (contract 5.8): `request` reads what a caller sends, as JSON or as a form; `answer` writes what it gets, `duration` tells
how long a sound is, and each other module is a form in which upstreams offer the operation."""
