import ssl
import urllib.error
import urllib.request

import msgspec
import pytest
import trustme

from trunkline.errors import ConfigError
from trunkline.mock.script import Answer, Fault, Member, Rule, Script, Spell
from trunkline.mock.thread import MockFleet, MockServer


def ask(mock: MockServer, context: ssl.SSLContext | None = None) -> str:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    with urllib.request.urlopen(urllib.request.Request(f"{mock.url}/chat/completions", body), context=context, timeout=30) as reply:
        text: str = msgspec.json.decode(reply.read())["choices"][0]["message"]["content"]
        return text


def test_it_serves_and_shows_what_it_saw() -> None:
    with MockServer() as mock:
        assert ask(mock) == "hi"
        [seen] = mock.seen()
        assert seen.json()["model"] == "m"
        assert mock.url == f"{mock.origin}/v1" == f"http://127.0.0.1:{mock.port}/v1"
        mock.reset()
        assert mock.seen() == ()


def test_rules_can_be_replaced() -> None:
    with MockServer(rules=[Rule(fault=Fault(kind="status", status=503))]) as mock:
        with pytest.raises(urllib.error.HTTPError, match="503") as caught:
            ask(mock)
        caught.value.close()
        mock.use(Rule(answer=Answer(text="new")))
        assert ask(mock) == "new"
        with pytest.raises(ConfigError):
            mock.use(Rule(fault=Fault(kind="none")))


def test_tls() -> None:
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    with MockServer(tls=server) as mock:
        assert mock.url.startswith("https://")
        assert ask(mock, client) == "hi"


def test_a_taken_port_is_an_error_at_once() -> None:
    with MockServer() as mock, pytest.raises(OSError), MockServer(port=mock.port):
        pass


def test_waiting_gives_up() -> None:
    with MockServer() as mock, pytest.raises(TimeoutError):
        mock.wait(lambda seen: bool(seen), seconds=0.02)


def test_refusing() -> None:
    with MockServer() as mock:
        mock.refuse(30)
        with pytest.raises(urllib.error.URLError, match="refused"):
            ask(mock)
        assert mock.connections() == 0


def test_new_rules_leave_the_rest_as_it_is_and_a_new_scene_does_not() -> None:
    down = Spell(name="down", fault=Fault(kind="status", status=503))
    with MockServer(spells=[down]) as mock:
        mock.use(Rule(answer=Answer(text="new")))
        with pytest.raises(urllib.error.HTTPError):
            ask(mock)
        mock.play(Script(rules=(Rule(answer=Answer(text="newer")),)))
        assert ask(mock) == "newer"
        assert [seen.spell for seen in mock.seen()] == ["down", ""]


def test_a_fleet_on_one_clock() -> None:
    down = Spell(fault=Fault(kind="status", status=503))
    members = [Member(name="up", rules=(Rule(answer=Answer(text="up")),)), Member(name="down", spells=(down,))]
    with MockFleet(members) as fleet:
        fleet.restart()
        codes = []
        for name in ("up", "down"):
            request = urllib.request.Request(f"{fleet.url(name)}/chat/completions", b'{"model": "m"}')
            try:
                codes.append(urllib.request.urlopen(request, timeout=30).close() or 200)
            except urllib.error.HTTPError as error:
                codes.append(error.code)
                error.close()
        assert codes == [200, 503]
        assert [len(fleet.seen(name)) for name in ("up", "down")] == [1, 1]


def test_a_fleet_whose_port_is_taken() -> None:
    with MockServer() as mock, pytest.raises(OSError, match="in use"), MockFleet([Member(name="a"), Member(name="b", port=mock.port)]):
        pass
