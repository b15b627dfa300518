"""Who is calling: from an `Authorization` header to a Principal.

`directory.KeyDirectory` holds every key in memory and follows changes that other processes make; `authenticator.Authenticator` answers
the hot path with one look-up by the whole header, and everything else with a clear 401, 403 or 503. In comes the header's bytes; out goes
a `protocol.principal.Principal` or an error. Called by `inference` and `api`.
"""
