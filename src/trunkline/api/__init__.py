"""The JSON surface under `/api/v1`: what a program sees of Trunkline.

`routes` is the table of all operations: method, path, credential, tag, and whether it is live yet. `site` walks it and builds one
Litestar handler per row: close what is for the operator only (`access`), establish who calls (`auth`), read the body under a limit,
call the handler of the row, and answer. Handlers live in a module per tag of the OpenAPI document (`models`, `providers`, `keys`,
`credits`, `generations`); each takes a `call.Call`, parses it (`queries`, `bodies`), asks a room below, and returns a `call.Reply`
of ready bytes. They know nothing of the web framework. The live inference routes are bare ASGI, in `inference`.

Errors are raised where they are known and become the contract's envelope in `problems`. `cors` says what browsers may do, for these
routes and for the inference routes alike. `services` names what all of this needs; `app.composition` builds it and mounts the handlers.
"""
