"""Google's generateContent, spoken to upstreams only (AI Studio and Vertex; Gemini API reference, `models.generateContent`).

Out: `compose` writes the body of a conversation: `contents` weaves the turns, `parts` renders single blocks, `tools` declares functions and
keeps their names, `schema` fits JSON schemas, `generation` fills `generationConfig`; `address` says where the body goes. In: `decoder`
reads whole answers and streams alike, with the words of `finish` and the citations and probabilities of `evidence`.

A thought signature rides as a hub reasoning item of kind `encrypted` whose id is the tool call it belongs to; None = the block after it.
"""

FORMAT = "google-gemini-v1"
"""`format` of this family's reasoning (contract 2.7)."""

DIALECT = "gemini"
"""`dialect` of blocks that only this family understands."""
