"""What stands behind a text: citations of the web, and the probabilities of its tokens, in the chat wire's shapes (contract 2.3)."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct


class Web(Struct):
    """A page that was read."""

    uri: str = ""
    title: str | None = None


class Chunk(Struct):
    """One source."""

    web: Web | None = None


class Segment(Struct):
    """A piece of the answer; the indices count bytes of UTF-8."""

    startIndex: int = 0  # noqa: N815 - the wire's name
    endIndex: int = 0  # noqa: N815
    text: str = ""


class Support(Struct):
    """Which sources a piece of the answer rests on."""

    segment: Segment | None = None
    groundingChunkIndices: Sequence[int] = ()  # noqa: N815


class Grounding(Struct):
    """`groundingMetadata` of a candidate."""

    groundingChunks: Sequence[Chunk] = ()  # noqa: N815
    groundingSupports: Sequence[Support] = ()  # noqa: N815
    webSearchQueries: Sequence[str] = ()  # noqa: N815


class Token(Struct):
    """One token with its probability."""

    token: str = ""
    logProbability: float | None = None  # noqa: N815


class Tops(Struct):
    """The likeliest tokens at one place."""

    candidates: Sequence[Token] = ()


class Logprobs(Struct):
    """`logprobsResult` of a candidate."""

    chosenCandidates: Sequence[Token] = ()  # noqa: N815
    topCandidates: Sequence[Tops] = ()  # noqa: N815


T = TypeVar("T", bound=Struct)
_NOTHING = (b"", b"null")


def grounding(raw: Raw) -> Grounding | None:
    """The sources of an answer; None where there are none, or none that can be read."""
    return _decoded(raw, Grounding)


def probabilities(raw: Raw) -> Logprobs | None:
    """The probabilities of an answer; None where there are none, or none that can be read."""
    return _decoded(raw, Logprobs)


def citations(found: Grounding, text: str) -> Iterator[bytes]:
    """The `url_citation` annotations of an answer whose text so far is `text`: one for each source of each piece. Sources that no piece
    names stand for the whole text."""
    sources = [chunk.web for chunk in found.groundingChunks]
    if not found.groundingSupports:
        yield from (_citation(web, 0, len(text), None) for web in sources if web is not None and web.uri)
        return
    encoded = text.encode("utf-8", "replace")
    for support in found.groundingSupports:
        segment = support.segment or Segment()
        start, end = _place(encoded, text, segment)
        for index in support.groundingChunkIndices:
            web = sources[index] if 0 <= index < len(sources) else None
            if web is not None and web.uri:
                yield _citation(web, start, end, segment.text or None)


def logprobs(result: Logprobs) -> bytes:
    """The entries of the chat wire's `logprobs.content`, as a JSON list."""
    entries = []
    for place, chosen in enumerate(result.chosenCandidates):
        tops = result.topCandidates[place].candidates if place < len(result.topCandidates) else ()
        entries.append({**_token(chosen), "top_logprobs": [_token(top) for top in tops]})
    return msgspec.json.encode(entries)


def _decoded(raw: Raw, shape: type[T]) -> T | None:
    if bytes(raw) in _NOTHING:
        return None
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _place(encoded: bytes, text: str, segment: Segment) -> tuple[int, int]:
    """The characters of a piece. Where its bytes are not where it says, it is searched for."""
    start, end = max(segment.startIndex, 0), max(segment.endIndex, 0)
    wanted = segment.text.encode("utf-8", "replace")
    if wanted and encoded[start:end] != wanted:
        found = text.find(segment.text)
        return (found, found + len(segment.text)) if found >= 0 else (0, len(text))
    return _characters(encoded[:start]), _characters(encoded[:end])


def _characters(encoded: bytes) -> int:
    return len(encoded.decode("utf-8", "ignore"))


def _citation(web: Web, start: int, end: int, content: str | None) -> bytes:
    citation: dict[str, object] = {"url": web.uri, "title": web.title or web.uri, "start_index": start, "end_index": end}
    if content is not None:
        citation["content"] = content
    return msgspec.json.encode({"type": "url_citation", "url_citation": citation})


def _token(token: Token) -> dict[str, object]:
    return {"token": token.token, "logprob": token.logProbability or 0.0, "bytes": list(token.token.encode("utf-8", "replace"))}
