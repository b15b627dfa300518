"""Stages around a call: what is changed about a request before it goes out, and about an answer before it is shown (contract 4.1 - 4.5).

A request that names plugins, or that carries what only a plugin can make fit, goes by way of the hub: each stage gets the conversation for
an endpoint and gives it back changed (`before`), and gets the whole answer (`after`). What a stage did is told in a note, which becomes an
entry of `pipeline[]` in the router's metadata (contract 2.13). `inference` drives this room and knows nothing of single plugins.

wanted       which plugins a request asks for, with their options; the table of all ids
stage        what a stage is, and the note it leaves
staged       all stages of one request, for each endpoint that is tried
shelf        a bounded memory, last used stays
files        the file parser: PDFs become text for models that take no files; annotations and their replay
pdf          the local engine: pdfium in a child process
compression  middle-out: what does not fit is dropped from the middle
healing      JSON that a model wrote almost right
caching      whole answers kept for identical requests
"""
