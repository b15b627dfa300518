"""Which model a router's slug stands for (contract 3.7): pure functions from the models that could serve a request to those to try.

`inference.routers` makes a `Contender` of every model that can be called and that can do what the request needs, reads the router's
`options` out of the request's plugins, and asks one of the choosers: `auto` (by task, cost and share), `free` (at random), `pareto` (by
coding scores). Each gives the ids of models, best first; the first becomes the primary and the others its fallbacks. `tasks` says what
kind of task a prompt is. `bodybuilder` makes its answer itself.
"""
