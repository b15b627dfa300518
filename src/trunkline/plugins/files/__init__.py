"""The file parser: PDFs become text for models that take no files, or where the caller wants that (contract 2.10).

engines      which engine reads a request's files: the model itself, or one of the table
reading      all PDFs of a conversation, each once: replayed, remembered, or read by an engine
annotations  read files as the annotations of an answer, and back from the history
parsing      the stage: file blocks become text blocks, for the endpoints that need it
annotated    the client's encoder, which adds the annotations to the answer
"""
