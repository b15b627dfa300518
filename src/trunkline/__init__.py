"""Trunkline: a self-hosted OpenRouter.

One OpenAI-compatible API in front of every model and provider, on the owner's machines and keys. `docs/architecture.md`
names the rooms; `inference/pipeline.py` is the life of one request; `app.composition` builds every object.
"""

__version__ = "0.1.0"
