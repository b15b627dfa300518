"""Who to send to: the vendors as data, and the secrets that open them.

In come TOML records (`data/*.toml`, one file a provider; `[[providers]]` of `trunkline.toml` has the same keys) and the process
environment. Out go `protocol.catalogue.Provider` Structs (`records`) and, apart from them, the headers with the secret that a call to an
endpoint needs (`credentials`). `tables` reads any TOML table into a Struct and names each mistake. Called by `catalogue` when it loads, and
by `app` when it prepares calls.

A base URL may take a part from the environment (`{AWS_REGION}`) or name a place of Google Cloud (`vertex:PROJECT/LOCATION`). It may also be
`env:NAME`: Ollama and vLLM need no key, but count as available only once `OLLAMA_BASE_URL` or `VLLM_BASE_URL` says where they are.
`OLLAMA_HOST` is not read: it is the address that Ollama itself listens on, often `0.0.0.0`, and set for other reasons.
The provider `local` (`launch = "local"`) is the supervised child process; its base URL is known when the process starts.
"""
