"""Image generation (contract 5.6): `request` reads what a caller sends, `size` brings the ways to say how large together, `picture` checks
what an upstream made, `answer` writes what the caller gets and `stream` its events; `generations` is OpenAI's form of the operation.

The other form is a conversation with a model that answers in images; it goes by way of the hub (`inference.pictures`).
"""
