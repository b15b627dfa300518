from typing import Any

import msgspec
import pytest

from trunkline.errors import ConfigError
from trunkline.mock.respond import Request, Responder
from trunkline.mock.script import Answer, Fault, Match, Rule, Script, Spell
from trunkline.mock.seen import Seen
from trunkline.mock.wire import End, Send


def ask(responder: Responder, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any, Seen]:
    """Status, decoded body and the note of one request."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    request = Request(method=method, path=path, headers=list(headers.items()), body=data, keep_alive=True)
    seen = Seen(number=1, at=0, method=method, path=path, headers=request.headers, body="")
    *sends, end = responder.respond(request, seen)
    assert end == End("keep")
    head, _, payload = b"".join(step.data for step in sends if isinstance(step, Send)).partition(b"\r\n\r\n")
    return int(head.split()[1]), msgspec.json.decode(payload), seen


CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "ping"}]}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions", "/openai/v1/chat/completions?api-version=1"])
def test_chat_under_any_base_path(path: str) -> None:
    status, body, seen = ask(Responder(Script()), "POST", path, CHAT)
    assert (status, body["choices"][0]["message"]["content"], seen.model) == (200, "ping", "m")


def test_rules_decide_and_are_noted() -> None:
    rules = (Rule(name="busy", first=1, fault=Fault(kind="status", status=503)), Rule(name="hello", answer=Answer(text="hello")))
    responder = Responder(Script(rules=rules))
    status, _, seen = ask(responder, "POST", "/v1/chat/completions", CHAT)
    assert (status, seen.rule, seen.fault) == (503, "busy", "status")
    status, body, seen = ask(responder, "POST", "/v1/chat/completions", CHAT)
    assert (status, body["choices"][0]["message"]["content"], seen.rule, seen.fault) == (200, "hello", "hello", "")


def test_rules_match_headers() -> None:
    responder = Responder(Script(rules=(Rule(match=Match(headers={"authorization": "Bearer good"}), answer=Answer(text="in")),)))
    assert ask(responder, "POST", "/chat/completions", CHAT, authorization="Bearer good")[1]["choices"][0]["message"]["content"] == "in"
    assert ask(responder, "POST", "/chat/completions", CHAT)[1]["choices"][0]["message"]["content"] == "ping"


def test_faults_by_model_name_and_wrong_ones() -> None:
    responder = Responder(Script())
    assert ask(responder, "POST", "/chat/completions", {"model": "fault/status?status=402"})[0] == 402
    status, body, _ = ask(responder, "POST", "/chat/completions", {"model": "fault/nothing"})
    assert (status, "nothing" in body["error"]["message"]) == (400, True)


def test_what_cannot_be_read_is_refused() -> None:
    assert ask(Responder(Script()), "POST", "/chat/completions", b"{")[0] == 400
    assert ask(Responder(Script()), "GET", "/nowhere")[0] == 404


def test_models_and_health() -> None:
    _, body, _ = ask(Responder(Script(models=("a",))), "GET", "/v1/models")
    assert [model["id"] for model in body["data"]][:2] == ["a", "fault/status"]
    assert ask(Responder(Script()), "GET", "/health")[:2] == (200, {"status": "ok"})


def test_rules_are_replaced_at_run_time() -> None:
    responder = Responder(Script())
    assert ask(responder, "POST", "/_mock/rules", {"rules": [{"answer": {"text": "new"}}]})[0] == 200
    assert ask(responder, "POST", "/chat/completions", CHAT)[1]["choices"][0]["message"]["content"] == "new"
    toml = b'[[rules]]\nanswer = { text = "newer" }\n'
    assert ask(responder, "POST", "/_mock/rules", toml, **{"content-type": "application/toml"})[0] == 200
    assert ask(responder, "POST", "/chat/completions", CHAT)[1]["choices"][0]["message"]["content"] == "newer"
    assert ask(responder, "POST", "/_mock/rules", {"rules": [{"fault": {"kind": "no such"}}]})[0] == 400
    assert ask(responder, "POST", "/_mock/rules", b"[")[0] == 400


def test_reset_starts_the_counts_again() -> None:
    responder = Responder(Script(rules=(Rule(first=1, answer=Answer(text="once")),)))
    texts = []
    for path in ("/chat/completions", "/chat/completions", "/_mock/reset", "/chat/completions"):
        body = ask(responder, "POST", path, CHAT)[1]
        texts.append(body["choices"][0]["message"]["content"] if "choices" in body else "")
    assert texts == ["once", "ping", "", "once"]
    assert ask(responder, "GET", "/_mock/seen")[1] == {"total": 0, "requests": []}


def test_a_script_with_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ConfigError, match="no such"):
        Responder(Script(rules=(Rule(fault=Fault(kind="no such")),)))


def test_the_vendors_own_words_for_what_is_wrong() -> None:
    responder = Responder(Script())
    status, body, seen = ask(responder, "POST", "/v1/messages", {"model": "m", "messages": []}, **{"anthropic-version": "v"})
    assert (status, body["error"]["message"]) == (400, "max_tokens: Field required")
    assert (seen.dialect, seen.model, seen.refused) == ("messages", "m", "max_tokens: Field required")
    status, body, seen = ask(responder, "POST", "/model/m/converse", {"messages": []})
    assert (status, body["message"].startswith("A conversation must start"), seen.dialect) == (400, True, "converse")


def test_strict_refuses_keys_of_the_gateway() -> None:
    leaked = CHAT | {"provider": {"order": ["a"]}}
    assert ask(Responder(Script()), "POST", "/chat/completions", leaked)[0] == 200
    status, body, _ = ask(Responder(Script(strict=True)), "POST", "/chat/completions", leaked)
    assert (status, body["error"]["code"], body["error"]["param"]) == (400, "unknown_parameter", "provider")
    assert ask(Responder(Script(strict=True, shape="mistral")), "POST", "/chat/completions", leaked)[0] == 422
    assert ask(Responder(Script(strict=True, allow=("provider",))), "POST", "/chat/completions", leaked)[0] == 200


def test_rules_match_the_dialect_and_the_results_of_tools() -> None:
    called = [{"role": "assistant", "tool_calls": [{"id": "c"}]}, {"role": "tool", "tool_call_id": "c", "content": "x"}]
    rules = (
        Rule(match=Match(dialect="cohere"), answer=Answer(text="cohere")),
        Rule(match=Match(results=True), answer=Answer(text="results")),
        Rule(answer=Answer(text="other")),
    )
    responder = Responder(Script(rules=rules))
    assert ask(responder, "POST", "/v2/chat", CHAT)[1]["message"]["content"][0]["text"] == "cohere"
    for messages, said in ((CHAT["messages"], "other"), (called, "results")):
        body = ask(responder, "POST", "/chat/completions", {"model": "m", "messages": messages})[1]
        assert body["choices"][0]["message"]["content"] == said


def test_spells_come_and_go_with_the_clock() -> None:
    now = [100.0]
    spell = Spell(name="down", start=10, end=20, fault=Fault(kind="status", status=503))
    responder = Responder(Script(spells=(spell,), rules=(Rule(first=1, fault=Fault(kind="status", status=418)),)), lambda: now[0])
    found = []
    for now[0] in (110.0, 111.0, 120.0):
        status, _, seen = ask(responder, "POST", "/chat/completions", CHAT)
        found.append((status, seen.spell))
    assert found == [(418, "down"), (503, "down"), (200, "")]
    now[0] = 1000.0
    responder.restart()
    now[0] = 1011.0
    assert ask(responder, "POST", "/chat/completions", CHAT)[0] == 503


def test_the_realm_seals_what_is_given_out() -> None:
    thinking = (Rule(answer=Answer(reasoning="Hm.", text="Yes.")),)
    user = {"role": "user", "content": "go"}
    first, second = (Responder(Script(rules=thinking, realm=realm)) for realm in ("a", "b"))
    said = ask(first, "POST", "/v1/messages", {"model": "m", "max_tokens": 9, "messages": [user]}, **{"anthropic-version": "v"})[1]
    turns = {"model": "m", "max_tokens": 9, "messages": [user, {"role": "assistant", "content": said["content"]}, user]}
    assert ask(first, "POST", "/v1/messages", turns, **{"anthropic-version": "v"})[0] == 200
    status, body, _ = ask(second, "POST", "/v1/messages", turns, **{"anthropic-version": "v"})
    assert (status, body["error"]["message"]) == (400, "messages.1.content.0: Invalid `signature` in `thinking` block")


def test_counting_tokens() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "one two"}]}
    assert ask(Responder(Script()), "POST", "/v1/messages/count_tokens", body, **{"anthropic-version": "v"})[1] == {"input_tokens": 2}
    body = {"contents": [{"parts": [{"text": "one two"}]}]}
    assert ask(Responder(Script()), "POST", "/v1beta/models/g:countTokens", body)[1]["totalTokens"] == 2
