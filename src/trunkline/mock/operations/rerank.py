"""Ranking of documents as Cohere (v2), Jina and Voyage give it. A document's score is the part of the query's words that it has."""

from trunkline.mock.call import Asked, Call
from trunkline.mock.content import compose, encode
from trunkline.mock.fields import number, string
from trunkline.mock.operations.inputs import call_of, texts_of
from trunkline.mock.reply import Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.writing.stream import headers_of


def score(query: str, document: str) -> float:
    """The part of the query's words that the document has, of 0 to 1."""
    wanted = set(query.lower().split())
    return round(len(wanted & set(document.lower().split())) / max(1, len(wanted)), 6)


def read(asked: Asked) -> Call:
    """The call of a request to rank; its last text is the query."""
    return call_of(asked, (*texts_of(asked.body.get("documents")), string(asked.body.get("query"))))


def ranked(call: Call) -> list[tuple[int, float, str]]:
    """Index, score and text, the best first, at most as many as are asked for."""
    documents = texts_of(call.asked.body.get("documents"))
    found = [(index, score(string(call.asked.body.get("query")), text), text) for index, text in enumerate(documents)]
    most = number(call.asked.body.get("top_n", call.asked.body.get("top_k")))
    return sorted(found, key=lambda item: -item[1])[:most]


def write_cohere(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """`POST /v2/rerank`: no documents in the results, and search units."""
    results = [{"index": index, "relevance_score": score} for index, score, _ in ranked(call)]
    billed = answer.usage or {"search_units": 1}
    body = {"id": f"mock{serial:08d}", "results": results, "meta": {"api_version": {"version": "2"}, "billed_units": billed}}
    return json_reply(encode({**body, **answer.extra}), headers=headers_of(answer, serial))


def write_jina(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """`POST /rerank`: with documents unless `return_documents` is false, and tokens. With `top_k` in Voyage's form."""
    asked = call.asked.body
    documents = asked.get("return_documents") is not False
    results = [
        {"index": index, "relevance_score": score} | ({"document": {"text": text}} if documents else {})
        for index, score, text in ranked(call)
    ]
    usage = answer.usage or {"total_tokens": compose(call, answer).spent.prompt}
    body = {"object": "list", "model": answer.model or call.model, "usage": usage, "data" if "top_k" in asked else "results": results}
    return json_reply(encode({**body, **answer.extra}), headers=headers_of(answer, serial))
