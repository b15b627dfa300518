"""The generation store and its daily roll-ups: what was asked of which model, by which key and app, and what it cost.

`rollup.write_batch` takes finished `GenerationRecord`s from `metering.recorder`, stores each once by its id, and adds those that were new
to the roll-ups. `store` reads: one generation by id, tokens of the week per model (rankings), totals of a model (its page). Charts read
roll-ups, never raw rows, so that no page grows slower with traffic. `upkeep` makes places for new days and removes old generations.
Callers: `metering` writes; `catalogue`, `api` and `pages` read; `app` runs the upkeep.
"""
