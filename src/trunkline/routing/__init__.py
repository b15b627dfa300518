"""Where a request goes: a pure function from facts to a plan.

In: what is known of the request, the endpoints of each candidate model, the health snapshot, the caller's preferences and one random
number. Out: a `Plan`: endpoints in the order they are tried, and every endpoint left out with its reason. No I/O and no clock, so a plan
can be explained and replayed. `plan.make_plan` is the only entrance; `inference` calls it once a request.

`filters` says which endpoints may serve at all, `order` in which order, `slugs` how a caller's provider names match endpoints.
"""
