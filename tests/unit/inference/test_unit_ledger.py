"""What answers to operations are charged."""

import base64

import pytest
from oneshots import OneShotBench, body, offering
from pipelines import served

from trunkline.dialects.forms import Field, write_form
from trunkline.inference.operations import EMBEDDINGS, RERANK, TRANSCRIPTION
from trunkline.protocol.catalogue import Pricing


@pytest.mark.parametrize(
    ("usage", "meta", "cost"),
    [
        ({"usage": {"total_tokens": 12}}, 0, 12 * 10 + 1000),
        ({"usage": {"search_units": 3}}, 3, 3 * 1000),
    ],
)
def test_a_rerank_is_charged_by_searches_and_tokens(usage: dict[str, object], meta: int, cost: int) -> None:
    answer = body({"results": [{"index": 0, "relevance_score": 0.5}], **usage})
    price = Pricing(prompt=10 if meta == 0 else 0, request=1000)
    bench = OneShotBench(RERANK, [served("one", pricing=price)], answer)
    said = bench.request(query="q", documents=["a"]).json
    assert (bench.record.cost, bench.record.api_type) == (cost, "rerank")
    assert said["usage"]["cost"] == cost / 10**12
    assert bench.ledgers.settled == [cost]


def test_cohere_is_charged_by_its_search_units() -> None:
    answer = body({"results": [{"index": 0, "relevance_score": 0.5}], "meta": {"billed_units": {"search_units": 2}}})
    bench = OneShotBench(RERANK, [served("one", dialect="cohere", pricing=Pricing(request=2 * 10**9))], answer)
    said = bench.request(query="q", documents=["a"]).json
    assert (bench.record.cost, said["usage"]["search_units"], said["usage"]["cost"]) == (4 * 10**9, 2, 0.004)


def test_estimates_learn_from_what_embeddings_count() -> None:
    answer = body({"data": [{"embedding": [1.0]}], "usage": {"prompt_tokens": 8}})
    bench = OneShotBench(EMBEDDINGS, [served("one")], answer)
    bench.request(input="12345678")
    assert bench.estimates.tokens("a/m", 100) == 100


@pytest.mark.parametrize(
    ("usage", "per_unit", "price", "cost"),
    [
        ({"usage": {"type": "tokens", "input_tokens": 83, "output_tokens": 30}}, False, Pricing(prompt=3, completion=5), 83 * 3 + 30 * 5),
        ({"usage": {"type": "duration", "seconds": 9.2}}, True, Pricing(prompt=1000), 9200),
        ({"duration": 2.5}, True, Pricing(prompt=1000), 2500),
        ({}, True, Pricing(prompt=1000), 1000),
    ],
)
def test_a_transcription_is_charged_by_tokens_or_seconds(usage: dict[str, object], per_unit: bool, price: Pricing, cost: int) -> None:
    audio = {"data": base64.b64encode(bytes(16_000)).decode(), "format": "mp3"}
    one = offering("one", "transcription", quirks={"per_unit": per_unit}, pricing=price)
    bench = OneShotBench(TRANSCRIPTION, [one], body({"text": "hi", **usage}))
    said = bench.request(input_audio=audio).json
    assert (said["text"], said["usage"]["cost"]) == ("hi", cost / 10**12)
    assert (bench.record.cost, bench.record.api_type) == (cost, "stt")


def test_a_form_is_a_transcription_too() -> None:
    form, _ = write_form([Field("model", b"a/m"), Field("file", b"sound", "talk.wav", "audio/wav")])
    bench = OneShotBench(TRANSCRIPTION, [offering("one", "transcription")], body({"text": "hi"}))
    assert bench.request(raw=form).json["text"] == "hi"
    assert b'filename="audio.wav"' in bench.client.sent[0].body
    assert b"multipart/form-data; boundary=" in bench.client.sent[0].extra_headers
    assert bench.client.sent[0].timeouts.total == 60.0
