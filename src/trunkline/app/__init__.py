"""The composition root: builds every object, mounts the API and the pages, and owns start-up, reload and shut-down.

`composition` builds, with the table of `parts` that load only when they are used and the web framework as `framework` trims it. `dispatch`
is the ASGI application, `server` runs it in this process, `workers` runs several, `reload` reads the configuration again beside the
requests, `banner` says what is there.
"""
