"""The composition root: builds every object, mounts the API and the pages, and owns start-up, reload and shut-down.

`composition` builds, `dispatch` is the ASGI application, `server` runs it in this process, `workers` runs several, `banner` says what is
there.
"""
