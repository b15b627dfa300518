"""Cohere's Chat API, version 2, spoken to upstreams only (Cohere API reference, "Chat"; the types of its Python SDK).

Out: `compose` writes the body of a conversation, `history` weaves its turns, files become `documents`, `wishes` says how much to think and
in which form to answer; `address` says where the body goes. In: `decoder` reads streams and whole answers (`reply`) alike, with the words
of `finish` and the citations and probabilities of `evidence`.

The plan that a model makes before it calls tools (`tool_plan`) is reasoning with the id `PLAN`, by which it finds its way back.
It follows the thoughts (`thinking`) and precedes text and calls, in whole answers by this rule, in streams as they come.
"""

PLAN = "tool_plan"
"""The id of reasoning that is a plan of tool calls."""
