"""Every operation the mock knows, as a table: the path it is told by, how its requests are read and refused, how it is answered.

A base path before it does not matter (`/v1`, `/openai/v1`, `/api/v3`), so one mock stands for any vendor.
"""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from trunkline.mock.call import Asked, Call
from trunkline.mock.checks import chat as chat_check
from trunkline.mock.checks import cohere as cohere_check
from trunkline.mock.checks import converse as converse_check
from trunkline.mock.checks import gemini as gemini_check
from trunkline.mock.checks import messages as messages_check
from trunkline.mock.checks import responses as responses_check
from trunkline.mock.operations import audio, embeddings, images, rerank
from trunkline.mock.reading import chat as chat_reader
from trunkline.mock.reading import cohere as cohere_reader
from trunkline.mock.reading import converse as converse_reader
from trunkline.mock.reading import gemini as gemini_reader
from trunkline.mock.reading import messages as messages_reader
from trunkline.mock.reading import responses as responses_reader
from trunkline.mock.reply import Manner, Refusal, Reply
from trunkline.mock.script import Answer, Pace, Scene
from trunkline.mock.writing import chat, cohere, converse, gemini, messages, responses

Read = Callable[[Asked], Call]
Check = Callable[[Asked, Scene], Refusal | None]
_MODEL = r"/models?/(?P<model>.+)"
_EMBEDS = ":(?P<verb>batchEmbedContents|embedContent|predict)"


class Write(Protocol):
    """Makes the reply to a call; `serial` numbers the calls of a mock and makes its ids."""

    def __call__(self, call: Call, answer: Answer, pace: Pace, /, *, serial: int) -> Reply: ...


class Dialect(Struct, frozen=True, kw_only=True):
    """One row: an operation in one vendor's form. `path`: what the end of a path looks like, with the groups `model` and `verb` where it
    names them. `form`: the body is a form and no JSON."""

    name: str
    path: re.Pattern[str]
    read: Read
    write: Write
    manner: Manner
    check: Check = lambda _asked, _scene: None
    form: bool = False


def _row(name: str, path: str, read: Read, write: Write, manner: Manner, check: Check | None = None, *, form: bool = False) -> Dialect:
    pattern = re.compile(path + "$")
    if check is None:
        return Dialect(name=name, path=pattern, read=read, write=write, manner=manner, form=form)
    return Dialect(name=name, path=pattern, read=read, write=write, manner=manner, check=check, form=form)


DIALECTS: tuple[Dialect, ...] = (
    _row("chat", "/chat/completions", chat_reader.read, chat.write, chat.MANNER, chat_check.check),
    _row("responses", "/responses", responses_reader.read, responses.write, responses.MANNER, responses_check.check),
    _row("messages", "/messages", messages_reader.read, messages.write, messages.MANNER, messages_check.check),
    _row(
        "messages",
        _MODEL + ":(?P<verb>rawPredict|streamRawPredict)",
        messages_reader.read,
        messages.write,
        messages.MANNER,
        messages_check.check,
    ),
    _row("count_tokens", "/messages/count_tokens", messages_reader.read, messages.count_tokens, messages.MANNER, messages_check.check),
    _row(
        "gemini",
        _MODEL + ":(?P<verb>generateContent|streamGenerateContent)",
        gemini_reader.read,
        gemini.write,
        gemini.MANNER,
        gemini_check.check,
    ),
    _row("count_tokens", _MODEL + ":(?P<verb>countTokens)", gemini_reader.read, gemini.count_tokens, gemini.MANNER),
    _row(
        "converse",
        _MODEL + "/(?P<verb>converse|converse-stream)",
        converse_reader.read,
        converse.write,
        converse.MANNER,
        converse_check.check,
    ),
    _row("cohere", "/v2/chat", cohere_reader.read, cohere.write, cohere.MANNER, cohere_check.check),
    _row("embeddings", "/embeddings", embeddings.read, embeddings.write_openai, chat.MANNER),
    _row("cohere_embeddings", "/v2/embed", embeddings.read, embeddings.write_cohere, cohere.MANNER),
    _row("gemini_embeddings", _MODEL + _EMBEDS, embeddings.read, embeddings.write_google, gemini.MANNER),
    _row("cohere_rerank", "/v2/rerank", rerank.read, rerank.write_cohere, cohere.MANNER),
    _row("rerank", "/rerank", rerank.read, rerank.write_jina, chat.MANNER),
    _row("images", "/images/generations", images.read, images.write, chat.MANNER),
    _row("speech", "/audio/speech", audio.read_speech, audio.speak, chat.MANNER),
    _row("transcription", "/audio/transcriptions", audio.read_transcription, audio.transcribe, chat.MANNER, form=True),
)
"""All rows; the first whose path fits is taken."""


def find(path: str) -> tuple[Dialect, Mapping[str, str]] | None:
    """The row of a decoded path without query, and the model and verb that it names. None = no operation."""
    for dialect in DIALECTS:
        if (found := dialect.path.search(path)) is not None:
            return dialect, found.groupdict()
    return None
