"""Plugins in a real gateway: the parser's child, kept answers on real sockets, and what `GET /generation` says of them."""

import base64
import json
import os
import signal
from pathlib import Path
from typing import Any

import pdfs
import pytest
from clients import CHAT, Answer, call, get, until
from gateway import MODEL, Gateway, provider

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Rule
from trunkline.mock.thread import MockServer

PDF = "data:application/pdf;base64," + base64.b64encode(pdfs.pdf("The answer is 42.")).decode()


def post(gateway: Gateway, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    body = {"model": "acme/echo-1", "messages": [{"role": "user", "content": "hi"}], **fields}
    return call(gateway, "POST", CHAT, json.dumps(body).encode(), headers=headers)


def with_file(data: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": data}}]}]


def children(gateway: Gateway) -> list[int]:
    """The gateway's children that read PDFs."""
    listed = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children")
    pids = [int(pid) for pid in listed.read_text().split()]
    return [pid for pid in pids if b"plugins.pdf.child" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_pdf_reaches_the_model_as_text_and_a_killed_child_is_replaced(gateway: Gateway, upstream: MockServer) -> None:
    answer = post(gateway, messages=with_file(PDF))
    assert answer.status == 200, answer.body
    assert "The answer is 42." in bytes(upstream.seen()[0].body).decode()
    [annotation] = answer.json["choices"][0]["message"]["annotations"]
    assert annotation["file"]["content"][1]["text"] == "--- Page 1 of 1 ---\nThe answer is 42."
    [child] = children(gateway)
    os.kill(child, signal.SIGKILL)
    until(lambda: child not in children(gateway))
    other = "data:application/pdf;base64," + base64.b64encode(pdfs.pdf("Another one.")).decode()
    assert "Another one." in json.dumps(post(gateway, messages=with_file(other)).json["choices"][0]["message"]["annotations"])
    assert len(children(gateway)) == 1


def test_a_file_that_is_no_pdf_at_all_is_told_so(gateway: Gateway, upstream: MockServer) -> None:
    answer = post(gateway, messages=with_file("data:application/pdf;base64,AAAA"))
    assert answer.status == 400
    assert "'a.pdf'" in answer.error["message"]
    assert upstream.seen() == ()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_kept_answer_costs_nothing_and_is_recorded_as_one(gateway: Gateway, upstream: MockServer, streamed: bool) -> None:
    upstream.use(Rule(answer=Said(events=3)))
    asked = {"messages": [{"role": "user", "content": f"kept {streamed}"}], "stream": streamed}
    on = {"X-OpenRouter-Cache": "true"}
    first, second = post(gateway, on, **asked), post(gateway, on, **asked)
    assert first.headers["x-openrouter-cache-status"] == "MISS"
    assert second.headers["x-openrouter-cache-status"] == "HIT"
    assert second.headers["x-openrouter-cache-source-id"] == first.headers["x-generation-id"]
    assert second.headers["x-generation-id"] == second.id != first.id
    assert int(second.headers["x-openrouter-cache-ttl"]) + int(second.headers["x-openrouter-cache-age"]) == 300
    assert second.usage["cost"] == 0 and second.usage["total_tokens"] == 0
    assert len(upstream.seen()) == 1
    if streamed:
        assert second.text == first.text and second.done
    record = get(gateway, f"/generation?id={second.id}").json["data"]
    assert record["response_cache_source_id"] == first.id
    assert record["total_cost"] == 0 and record["streamed"] is streamed
    assert get(gateway, f"/generation?id={first.id}").json["data"]["response_cache_source_id"] is None


def test_json_is_mended_and_a_stream_is_not(gateway: Gateway, upstream: MockServer) -> None:
    upstream.use(Rule(answer=Said(text="Sure:\n```json\n{name: 'Eve', \"age\": 40,}\n```")))
    asked = {"response_format": {"type": "json_object"}, "plugins": [{"id": "response-healing"}]}
    assert post(gateway, **asked).json["choices"][0]["message"]["content"] == '{"name":"Eve","age":40}'
    assert post(gateway, **asked, stream=True).text.startswith("Sure:")


def test_an_unknown_plugin_is_refused(gateway: Gateway, upstream: MockServer) -> None:
    answer = post(gateway, plugins=[{"id": "nonsense"}])
    assert (answer.status, answer.error["message"]) == (400, "plugins[0].id: There is no plugin 'nonsense'")


def test_the_parser_ends_with_its_gateway_however_that_ends(mock: MockServer, tmp_path: Path) -> None:
    with Gateway(tmp_path, MODEL + provider(f"{mock.url}/v1")) as own:
        for end in (own.kill, own.stop):
            assert post(own, messages=with_file(PDF)).status == 200
            [child] = children(own)
            end()
            until(lambda pid=child: not Path(f"/proc/{pid}").exists())  # type: ignore[misc]
            if end == own.kill:
                own.start()
