"""The generation store and its roll-ups: what was asked of which model, by which key and app, what it cost, and how endpoints served it.

`rollup.write_batch` takes finished `GenerationRecord`s from `metering.recorder`, stores each once by its id, and adds those that were new
to the roll-ups: sums by day of models, keys, apps and kinds of task, and by `endpoint_rollup` what endpoints did by minute, hour and day.
`slots` says what counts there, in memory as in storage, and `histogram` holds distributions and reads every percentile. `store` and
`endpoint_windows` read: one generation by id, tokens of the week per model (rankings), what callers spent on each kind of task (routers),
totals of a model (its page), what endpoints did lately. Charts read roll-ups, never raw rows, so that no page grows slower with traffic.
`upkeep` makes places for new days and removes what is old.
Callers: `metering` writes; `health`, `catalogue`, `api` and `pages` read; `app` runs the upkeep.
"""
