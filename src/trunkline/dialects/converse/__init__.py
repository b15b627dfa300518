"""Bedrock's Converse and ConverseStream, spoken to upstreams only (Amazon Bedrock API reference, `Converse`).

Out: `compose` writes the body of a conversation: `history` weaves the turns, `content` renders single blocks as bytes, `marks` settles the
cache points, `tools` the tools, whose schemas `schema` fits, `thinking` and `structure` decide how much to think and how the form of the
answer is asked for; `address` says where the body goes. In: `frames` cuts the binary event stream, `decoder` reads streams and whole
answers (`reply`) alike, with the words of `stops` and `citations`.
"""

FORMAT = "anthropic-claude-v1"
"""`format` of reasoning whose signatures this dialect carries (contract 2.7): of the models with signatures, Claude is the one served."""

DIALECT = "converse"
"""`dialect` of blocks that only this family understands."""
