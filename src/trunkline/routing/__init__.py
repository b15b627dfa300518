"""Where a request goes: a pure function from facts to a plan.

In: what is known of the request, the endpoints of each candidate model, the health snapshot, the caller's preferences and one random
number. Out: a `Plan`: endpoints in the order they are tried, and every endpoint left out with its reason. No I/O and no clock, so a plan
can be explained and replayed. `plan.make_plan` is the only entrance; `inference` calls it once a request.

The endpoints of each model pass `filters` (what the caller forbids, what cannot work), then `tiers` (service tiers), then are put in
`order`: by the caller's order or sort, by a weighted draw, by what `quality` says of their tool calls, and by what `standings` makes of
their health. `boards` remember what requests for the same model have in common, so that most plans cost little more than the draw; they
change no plan. `slugs` knows how a caller's provider names match endpoints; `explain` says afterwards in words why each stands where it
stands.
"""
