"""Citations and probabilities."""

import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.gemini.evidence import Chunk, Grounding, Segment, Support, Web, citations, grounding, logprobs, probabilities

WEB = Chunk(web=Web(uri="https://a.example", title="A"))


def found(sources: Grounding, text: str) -> list[dict[str, object]]:
    return [msgspec.json.decode(one)["url_citation"] for one in citations(sources, text)]


def test_bytes_become_characters() -> None:
    text = "Grüße: 日本 is far. End."
    piece = "日本 is far."
    start = len(text[: text.index(piece)].encode())
    segment = Segment(startIndex=start, endIndex=start + len(piece.encode()), text=piece)
    sources = Grounding(groundingChunks=[WEB], groundingSupports=[Support(segment=segment, groundingChunkIndices=[0])])
    (one,) = found(sources, text)
    assert one == {"url": "https://a.example", "title": "A", "start_index": 7, "end_index": 7 + len(piece), "content": piece}
    assert text[7 : 7 + len(piece)] == piece


@pytest.mark.parametrize(("text", "place"), [("xx piece", (3, 8)), ("nothing", (0, 7))])
def test_a_piece_elsewhere_is_searched_for(text: str, place: tuple[int, int]) -> None:
    segment = Segment(startIndex=50, endIndex=55, text="piece")
    (one,) = found(Grounding(groundingChunks=[WEB], groundingSupports=[Support(segment=segment, groundingChunkIndices=[0])]), text)
    assert (one["start_index"], one["end_index"]) == place


def test_indices_that_lead_nowhere() -> None:
    support = Support(segment=None, groundingChunkIndices=[5, -1, 1, 0])
    sources = Grounding(groundingChunks=[WEB, Chunk()], groundingSupports=[support])
    assert [one["url"] for one in found(sources, "t")] == ["https://a.example"]


def test_sources_without_pieces_stand_for_the_whole() -> None:
    assert found(Grounding(groundingChunks=[Chunk(web=Web(uri="u")), Chunk()]), "abc") == [
        {"url": "u", "title": "u", "start_index": 0, "end_index": 3}
    ]
    assert found(Grounding(), "abc") == []


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b'{"groundingChunks":5}', b'{"groundingSupports":[{"segment":{"endIndex":"x"}}]}'])
def test_what_cannot_be_read_is_no_source(raw: bytes) -> None:
    assert grounding(Raw(raw)) is None
    assert raw.startswith(b"{") or probabilities(Raw(raw)) is None


def test_probabilities_in_the_chat_shape() -> None:
    raw = Raw(
        b'{"chosenCandidates":[{"token":"\xc3\xa9","logProbability":-0.5,"tokenId":1},{"token":"x"}],'
        b'"topCandidates":[{"candidates":[{"token":"e","logProbability":-1}]}]}'
    )
    result = probabilities(raw)
    assert result is not None
    assert msgspec.json.decode(logprobs(result)) == [
        {"token": "é", "logprob": -0.5, "bytes": [195, 169], "top_logprobs": [{"token": "e", "logprob": -1.0, "bytes": [101]}]},
        {"token": "x", "logprob": 0.0, "bytes": [120], "top_logprobs": []},
    ]
