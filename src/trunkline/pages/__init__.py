"""The public site: what this server offers, as HTML for people.

In come the catalogue in force and a few figures (`services`); out go complete pages, rendered on the server, that work without JavaScript.
Every tab and filter is a URL. `app` mounts `site.Site` beside the API; nothing else calls in here.

One page, one module that turns Structs of the catalogue into what the page says, as a pure function: `home`, `model_list`, `author_page`,
`model_page` (with `endpoint_table`, `parameters` and `snippets`), `documents`. `model_row` is the row that lists share and `formats` writes
prices, counts and dates. `render` fills the templates, `assets` holds the files they link to, `headers` says what browsers may do with
them, `refusals` answers what goes wrong, and `site` is the table of routes.
"""
