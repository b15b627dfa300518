"""What the soak's client hears, in answers of the mock itself: it speaks the three dialects that clients do."""

import json
import urllib.error
import urllib.request

import pytest
from bench.junction import CALLS, OBJECT

from bench import skins
from trunkline.mock.script import Answer, Fault, Match, Rule
from trunkline.mock.thread import MockServer

SKINS: tuple[skins.Skin, ...] = ("chat", "messages", "responses")
RULES = (
    Rule(match=Match(contains=CALLS), answer=Answer(offered=1)),
    Rule(match=Match(contains="Break"), fault=Fault(kind="error_event", events=2)),
    Rule(match=Match(contains="Refuse"), fault=Fault(kind="status", status=503)),
)


def ask(mock: MockServer, skin: skins.Skin, question: str, *, stream: bool, tools: bool = False) -> tuple[int, bytes]:
    """Status and body; the mock's paths are those below /api."""
    body = {"model": "echo-1", "stream": stream, **skins.asked(skin, question, tools=tools)}
    url = mock.url.removesuffix("/v1") + skins.PATHS[skin].removeprefix("/api")
    asked = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", "anthropic-version": "2023-06-01"})
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("skin", SKINS)
def test_answers_are_heard(skin: skins.Skin, stream: bool) -> None:
    with MockServer(rules=RULES) as mock:
        status, body = ask(mock, skin, "How are you?", stream=stream)
        assert (status, skins.hear(skin, body, stream=stream)) == (200, skins.Heard("How are you?", ended=True))
        status, body = ask(mock, skin, f"{CALLS}!", stream=stream, tools=True)
        heard = skins.hear(skin, body, stream=stream)
        assert (status, heard.text, json.loads(heard.arguments), heard.ended) == (200, "", OBJECT, True)
        status, body = ask(mock, skin, "Refuse!", stream=stream)
        assert status == 503
        assert skins.refused(body)


@pytest.mark.parametrize("skin", SKINS)
def test_a_stream_that_is_cut_has_not_ended(skin: skins.Skin) -> None:
    with MockServer(rules=RULES) as mock:
        body = ask(mock, skin, "How are you?", stream=True)[1]
    for end in range(0, len(body) - 20, 40):
        try:
            heard = skins.hear(skin, body[:end], stream=True)
        except skins.Broken:
            continue
        assert not heard.ended


def test_an_error_in_a_stream_is_heard() -> None:
    with MockServer(rules=RULES) as mock:
        status, body = ask(mock, "messages", "Break! off now", stream=True)
    heard = skins.hear("messages", body, stream=True)
    assert (status, heard.text, heard.ended) == (200, "Break! off ", False)
    assert heard.error


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"error": null}'])
def test_what_is_no_refusal(body: bytes) -> None:
    with pytest.raises(skins.Broken):
        skins.refused(body)
