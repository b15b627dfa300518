"""The only way out: every byte that leaves this process for another machine goes through here.

In comes a `Target` (an endpoint's URL and headers, rendered once) and a request body; out comes a `Response`, read as it arrives.
`client` sends and keeps connections in LIFO `pool`s; `connection` parses HTTP/1.1 and holds the deadlines; `response` gives decoded bytes;
`dialer` opens connections, through `tls` and the operator's `proxy`, at the addresses that `egress` has checked. `sse` cuts event
streams into payloads, `tasks` starts background work, and `fake` is a client without a network, for tests.

`inference`, `health`, `catalogue` and `local` call it. Errors are those of `errors.UpstreamError`; redirects are never followed.
"""
