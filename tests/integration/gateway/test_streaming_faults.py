"""What a client sees when the upstream fails: the commit rule of docs/architecture.md, "Errors", over real sockets.

Before the first content another endpoint answers, or the client gets an HTTP error. After it the stream ends with an error, never with a
made-up stop.
"""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from clients import Answer, chat, chat_body, dial, get, request, until
from gateway import Gateway

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Fault, Match, Pace, Rule
from trunkline.mock.thread import MockServer

SAID = Said(events=6)
WORDS = "w0 w1 w2 w3 w4 w5 "
PACE = Pace(event_ms=8)

# Faults that come before any content, with the status when there is no other endpoint.
EARLY = {
    "refused": (Fault(kind="reset"), {502, 503}),
    "garbage": (Fault(kind="garbage"), {502, 503}),
    "html": (Fault(kind="html", status=200), {502, 503}),
    "html-502": (Fault(kind="html", status=502), {502, 503}),
    "empty": (Fault(kind="empty"), {502, 503}),
    "cut-in-head": (Fault(kind="cut", after=40), {502, 503}),
    "cut-in-head-rst": (Fault(kind="cut", after=40, reset=True), {502, 503}),
    "hang": (Fault(kind="hang"), {504}),
    "slow-head": (Fault(kind="slow_head", seconds=6), {504}),
    "role-only": (Fault(kind="role_only"), {504}),
    "heartbeats": (Fault(kind="heartbeats", seconds=6), {504}),
    "not-an-object": (Fault(kind="ok_error", body="[]"), {502, 503}),
    "no-choices": (Fault(kind="ok_error", body='{"choices": null}'), {502, 503}),
    "no-message": (Fault(kind="ok_error", body='{"choices": [{"message": null}]}'), {502, 503}),
    "200-with-error": (Fault(kind="ok_error", status=500), {502, 503}),
    "huge-head": (Fault(kind="huge_head", size=4_000_000), {502, 503}),
    "500": (Fault(kind="status", status=500), {502, 503}),
    "503": (Fault(kind="status", status=503), {503}),
    "529": (Fault(kind="status", status=529), {503, 529}),
    "429": (Fault(kind="status", status=429), {429}),
    "401": (Fault(kind="status", status=401), {502}),
    "402": (Fault(kind="status", status=402), {502}),
    "404": (Fault(kind="status", status=404), {404}),
    "400": (Fault(kind="status", status=400), {400}),
}
SILENT = {"hang", "slow-head", "role-only", "heartbeats"}
REFUSED = {"401", "402"}
"""After these the credential rests, for whatever model, until it succeeds once more."""
WAYS = [
    pytest.param(name, streamed, id=f"{name}-{'stream' if streamed else 'whole'}")
    for name in EARLY
    for streamed in (False, True)
    if streamed or name not in SILENT  # a whole answer has only a total deadline, too long to wait for here
]

# Faults after the first content of a stream.
LATE = {
    "fin": Fault(kind="drop", events=2),
    "rst": Fault(kind="drop", events=2, reset=True),
    "error-event": Fault(kind="error_event", events=2, status=500),
    "garbage-event": Fault(kind="garbage_event", events=2),
    "stall": Fault(kind="stall", events=2),
    "huge-event": Fault(kind="huge_event", events=2, size=20_000_000),
    "no-finish": Fault(kind="no_finish"),
}

# Oddities that are no failure.
HARMLESS = {
    "no-done": Fault(kind="no_done"),
    "no-blank-line": Fault(kind="no_blank_line"),
    "crlf": Fault(kind="crlf"),
    "gzip": Fault(kind="encoded"),
    "deflate": Fault(kind="encoded", encoding="deflate"),
    "until-close": Fault(kind="until_close"),
    "slow-bytes": Fault(kind="slow_bytes", size=64, interval_ms=1),
}


@pytest.fixture
def name(request: pytest.FixtureRequest, gateway: Gateway, upstream: MockServer) -> Iterator[str]:
    """The name of a fault. The next test finds the credential as good as this one did."""
    fault: str = request.param
    yield fault
    if fault in REFUSED:
        upstream.use(Rule(answer=SAID))
        assert chat(gateway, model="acme/echo-1").status == 200


def script(fault: Fault, model: str) -> Rule:
    return Rule(match=Match(model=model), answer=SAID, pace=PACE, fault=fault)


@pytest.mark.parametrize(("name", "streamed"), WAYS, indirect=["name"])
def test_before_the_first_content_another_endpoint_answers(
    gateway: Gateway, upstream: MockServer, pairs: Iterator[int], hasty_pairs: Iterator[int], name: str, streamed: bool
) -> None:
    number = next(hasty_pairs if name in SILENT else pairs)
    fault, _ = EARLY[name]
    upstream.use(script(fault, f"first-{number}"), Rule(answer=SAID, pace=PACE))
    answer = chat(gateway, model=f"pair/m{number}", stream=streamed, provider={"order": ["acme", "beta"]})
    assert answer.status == 200, answer.body
    assert said(answer) == WORDS
    models = [seen.model for seen in upstream.seen()]
    assert models[0] == f"first-{number}"
    assert models[-1] == f"second-{number}"
    record = get(gateway, f"/generation?id={answer.id}").json["data"]
    assert [one["provider_name"] for one in record["provider_responses"]][-2:] == ["Acme", "Beta"]
    assert record["total_cost"] == pytest.approx(answer.usage["cost"])


@pytest.mark.parametrize(("name", "streamed"), WAYS, indirect=["name"])
def test_without_another_endpoint_the_client_gets_an_http_error(gateway: Gateway, upstream: MockServer, name: str, streamed: bool) -> None:
    fault, statuses = EARLY[name]
    model = "hasty" if name in SILENT else "echo-1"
    upstream.use(script(fault, model))
    answer = chat(gateway, model=f"acme/{model}", stream=streamed)
    assert answer.status in statuses, answer.body
    assert answer.error["metadata"]["provider_name"] == "Acme"
    assert "secret-of-acme" not in answer.body.decode()
    assert get(gateway, f"/generation?id={answer.id}").json["data"]["total_cost"] == 0


@pytest.mark.parametrize("name", LATE)
def test_after_the_first_content_the_stream_ends_with_an_error(gateway: Gateway, upstream: MockServer, name: str) -> None:
    fault = LATE[name]
    pace = Pace(event_ms=50, burst=False)
    upstream.use(Rule(answer=Said(events=6), pace=pace, fault=fault))
    for _ in range(10):  # on a busy machine one read may bring content and error, of which the client need not hear
        upstream.reset()
        answer = chat(gateway, model="acme/hasty" if name == "stall" else "acme/echo-1", stream=True)
        if len(upstream.seen()) == 1:
            break
    assert answer.status == 200
    assert answer.complete
    assert answer.text.startswith("w0 w1 ")
    assert answer.finish_reasons == ["error"]
    assert answer.events[-1]["error"]["code"] >= 500
    assert len(upstream.seen()) == 1
    record = get(gateway, f"/generation?id={answer.id}").json["data"]
    assert (record["finish_reason"], record["total_cost"]) == ("error", 0)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", HARMLESS)
def test_oddities_that_are_no_failure_are_repaired(gateway: Gateway, upstream: MockServer, name: str, streamed: bool) -> None:
    upstream.use(Rule(answer=SAID, fault=HARMLESS[name]))
    answer = chat(gateway, stream=streamed)
    assert answer.status == 200, answer.body
    assert said(answer) == WORDS
    assert answer.usage["completion_tokens"] == 6
    if streamed:
        assert answer.done
        assert answer.finish_reasons == ["stop"]


def length_of_a_stream(gateway: Gateway, upstream: MockServer) -> int:
    """Bytes of the whole response to a request for three words."""
    upstream.use(Rule(answer=Said(events=3), pace=Pace(event_ms=1)))
    assert chat(gateway, stream=True).done
    return upstream.seen()[-1].bytes_sent


@pytest.mark.parametrize("percent", range(8, 70, 4))
def test_a_stream_cut_at_any_byte_before_its_finish_is_an_error(gateway: Gateway, upstream: MockServer, percent: int) -> None:
    after = length_of_a_stream(gateway, upstream) * percent // 100
    upstream.use(Rule(answer=Said(events=3), pace=Pace(event_ms=1), fault=Fault(kind="cut", after=after)))
    answer = chat(gateway, stream=True)
    if answer.status != 200:
        assert answer.status in (502, 503)
        assert answer.error
    else:
        assert answer.finish_reasons == ["error"]
        assert answer.events[-1]["error"]


@pytest.mark.parametrize("missing", [10, 60], ids=["in-done", "in-usage"])
def test_a_stream_cut_after_its_finish_is_repaired(gateway: Gateway, upstream: MockServer, missing: int) -> None:
    after = length_of_a_stream(gateway, upstream) - missing
    upstream.use(Rule(answer=Said(events=3), pace=Pace(event_ms=1), fault=Fault(kind="cut", after=after)))
    answer = chat(gateway, stream=True)
    assert answer.finish_reasons == ["stop"]
    assert answer.done
    assert answer.usage["cost"] > 0


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(kind="cut", after=after) for after in (60, 200, 300, 400, 500)),
        Fault(kind="bad_chunk"),
        Fault(kind="wrong_length", size=50),
        Fault(kind="wrong_length", size=-50),
        Fault(kind="garbage_event"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.after or fault.size}",
)
def test_a_whole_answer_that_is_not_whole_is_an_error(gateway: Gateway, upstream: MockServer, fault: Fault) -> None:
    upstream.use(Rule(answer=Said(text="x" * 300), fault=fault))
    assert chat(gateway).error["metadata"]["error_type"] in ("provider_unavailable", "provider_overloaded")


def said(answer: Answer) -> str:
    return answer.text if answer.body.startswith((b"data:", b":")) else answer.json["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("rule", "read"),
    [
        (Rule(answer=Said(events=1000), pace=Pace(event_ms=10)), b"w3 "),
        (Rule(fault=Fault(kind="hang")), b""),
        (Rule(fault=Fault(kind="role_only")), b""),
        (Rule(answer=Said(events=3), pace=Pace(event_ms=5), fault=Fault(kind="stall", events=2)), b"w1 "),
    ],
    ids=["in-mid-stream", "before-the-head", "before-the-first-content", "in-silence"],
)
def test_when_the_client_leaves_the_upstream_is_closed_at_once(gateway: Gateway, upstream: MockServer, rule: Rule, read: bytes) -> None:
    upstream.use(rule)
    assert any(milliseconds_to_close(gateway, upstream, read) < 100 for _ in range(20))  # a busy machine gets more tries


def milliseconds_to_close(gateway: Gateway, upstream: MockServer, read: bytes) -> float:
    """Open a stream, read as far as `read`, leave, and return how long after that the upstream's connection was closed."""
    upstream.reset()
    with dial(gateway) as connection:
        connection.sendall(request(chat_body(model="acme/stops", stream=True)))
        received = b""
        while read and read not in received:
            received += connection.recv(65536)
        [seen] = upstream.wait(lambda seen: len(seen) == 1)
        time.sleep(0.02)
    left = (time.time() - seen.at) * 1000
    [seen] = upstream.wait(lambda seen: seen[0].closed_ms is not None)
    assert seen.aborted
    assert seen.closed_ms is not None
    return seen.closed_ms - left


def test_what_was_delivered_before_the_client_left_is_charged(gateway: Gateway, upstream: MockServer) -> None:
    upstream.use(Rule(answer=Said(events=1000), pace=Pace(event_ms=5)))
    with dial(gateway) as connection:
        connection.sendall(request(chat_body(model="acme/stops", stream=True)))
        received = b""
        while b"w9 " not in received:
            received += connection.recv(65536)
    identifier = received.split(b"x-generation-id: ")[1].split(b"\r\n")[0].decode()
    upstream.wait(lambda seen: seen[0].aborted)
    record = get(gateway, f"/generation?id={identifier}").json["data"]
    assert record["cancelled"]
    assert record["total_cost"] > 0


def test_an_upstream_that_bills_on_is_read_to_its_end(gateway: Gateway, upstream: MockServer) -> None:
    upstream.use(Rule(answer=Said(events=30), pace=Pace(event_ms=5)))
    with dial(gateway) as connection:
        connection.sendall(request(chat_body(model="acme/bills-on", stream=True)))
        received = b""
        while b"w2 " not in received:
            received += connection.recv(65536)
    identifier = received.split(b"x-generation-id: ")[1].split(b"\r\n")[0].decode()
    upstream.wait(lambda seen: seen[0].ended)
    until(lambda: get(gateway, f"/generation?id={identifier}").status == 200)
    record = get(gateway, f"/generation?id={identifier}").json["data"]
    assert (record["cancelled"], record["tokens_completion"]) == (True, 30)


def test_a_whole_answer_is_finished_for_a_client_that_left(gateway: Gateway, upstream: MockServer) -> None:
    upstream.use(Rule(answer=SAID, pace=Pace(head_ms=60)))
    with dial(gateway) as connection:
        connection.sendall(request(chat_body(model="acme/stops")))
        upstream.wait(lambda seen: len(seen) == 1)
    [seen] = upstream.wait(lambda seen: seen[0].ended)
    assert not seen.aborted


def test_small_events_pass_without_the_bump_of_delayed_acknowledgements(gateway: Gateway, upstream: MockServer, mock: MockServer) -> None:
    """Nagle's algorithm against delayed ACK shows as 40 ms in which small events pile up (pitfalls 17). The same stream is taken directly
    and through the gateway in turns, and the times at which something arrived are counted. A busy machine gets more tries."""
    upstream.use(Rule(answer=Said(events=60), pace=Pace(event_ms=5, burst=False)))
    counts: list[tuple[int, int]] = []
    while not counts or (counts[-1][1] <= counts[-1][0] / 2 and len(counts) < 10):
        counts.append((arrivals(mock.port), arrivals(urlsplit(gateway.url).port)))
    direct, through = counts[-1]
    assert through > direct / 2, counts


def arrivals(port: int | None) -> int:
    """How many reads a stream takes that is read at once whenever something is there, by a client that delays its acknowledgements."""
    reads, received = 0, b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request(chat_body(model="acme/echo-1", stream=True)))
        while b"[DONE]" not in received[-64:]:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
            received += connection.recv(65536)
            reads += 1
    return reads


def test_the_role_chunk_and_first_content_are_not_held_back(gateway: Gateway, upstream: MockServer) -> None:
    upstream.use(Rule(answer=Said(events=2), pace=Pace(event_ms=1500)))
    with dial(gateway) as connection:
        connection.sendall(request(chat_body(stream=True)))
        received = b""
        while b"w0 " not in received:
            received += connection.recv(65536)
        assert b"w1 " not in received
