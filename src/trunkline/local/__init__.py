"""A real model on this machine, so that a fresh clone answers without anyone's API key.

The engine (llama.cpp's own HTTP server, inside a Python module) runs in a child process: a native crash takes the child down and never
the gateway. `weights` fetches the model file once, `presence` says whether engine and weights are there, `launch` is what parent and
child agree on, `child` is the child's main, and `supervisor.LocalModel` starts it at the first request, watches it, restarts it and stops
it.

Embeddings and reranking have a model and a child of their own (`embedder_files`, `wordpiece`, `embedder`, `embedder_child`), under the same
supervisor.

In comes a call of `LocalModel.ready()` before each attempt at the local endpoint; out goes nothing but a server at `LocalModel.base_url`
that speaks the chat dialect to whoever holds `LocalModel.api_key`. `app` builds the `LocalModel`s of a worker and `cli` calls
`weights.fetch`.
"""
