"""The embedding model: texts in, vectors of unit length out. Only the embedder's child process imports this module's engine."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy
import onnxruntime

from trunkline.local import embedder_files
from trunkline.local.wordpiece import WordPiece

MAX_TOKENS: Final = 256
"""Tokens of one text that count (the model card of all-MiniLM-L6-v2, "longer than 256 word pieces is truncated")."""
DIMENSIONS: Final = 384
_ERRORS_ONLY = 3


class Embedder:
    """The model with its tokenizer, out of the folder that `embedder_files` fills. Safe to use from several threads."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = _ERRORS_ONLY
        model = str(folder / embedder_files.MODEL.name)
        self._session = onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
        self._tokenizer = WordPiece.load(folder / embedder_files.TOKENIZER.name, limit=MAX_TOKENS)
        self._turn = threading.Lock()

    def tokens(self, text: str) -> list[int]:
        """The token ids of a text, cut at MAX_TOKENS."""
        return self._tokenizer.ids(text)

    def embed(self, texts: Sequence[list[int]]) -> list[list[float]]:
        """One vector of unit length for each text of token ids. Each runs alone: padding would change the last digits with the company."""
        return [self._one(ids) for ids in texts]

    def _one(self, ids: list[int]) -> list[float]:
        given = numpy.array([ids], dtype=numpy.int64)
        feeds = {"input_ids": given, "attention_mask": numpy.ones_like(given), "token_type_ids": numpy.zeros_like(given)}
        with self._turn:
            hidden = self._session.run(None, feeds)[0]
        mean = hidden[0].mean(axis=0)
        vector: list[float] = (mean / max(float(numpy.linalg.norm(mean)), 1e-12)).astype(numpy.float32).tolist()
        return vector
