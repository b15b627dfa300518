"""`trunkline route`: a running server is asked, and its answer is a table."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trunkline import settings
from trunkline.accounts.starting_keys import DEMO_FILE
from trunkline.app.route_table import address, ask, find_key, lines, read
from trunkline.errors import ApiError, ConfigError, UpstreamError
from trunkline.inference.explain import Row
from trunkline.inference.hedging import Outlook
from trunkline.inference.route_reports import Report
from trunkline.plugins.stage import Note
from trunkline.protocol.health import Percentiles

TRIED = Row(
    provider="Acme",
    model="a/m",
    selected=True,
    tag="acme",
    rank=1,
    decided_by="drawn",
    notes=("drawn",),
    predicted_cost_usd=0.0001,
    latency=Percentiles(0.25, 1, 1, 1),
    throughput=Percentiles(88.4, 1, 1, 1),
)
LEFT_OUT = Row(provider="Bolt", model="a/m", selected=False, tag="bolt/turbo", excluded_by="allowed_providers", rule="ignore")
REPORT = Report(
    dialect="chat", requested="a/m", strategy="direct", prompt_tokens=7, completion_tokens=50, endpoints=[TRIED], excluded=[LEFT_OUT]
)


def test_the_table() -> None:
    assert lines(REPORT) == [
        "a/m (direct, chat): 7 tokens in, 50 out",
        "#  PROVIDER    MODEL  COST       LATENCY  TOKENS/S  WHY",
        "1  acme        a/m    $0.000100  0.25 s   88        drawn",
        "-  bolt/turbo  a/m    -          -        -         left out: ignore",
    ]


def test_a_narrow_terminal_gets_lines_in_place_of_columns() -> None:
    widest = max(map(len, lines(REPORT)[1:]))
    assert lines(REPORT, widest) == lines(REPORT)
    assert lines(REPORT, widest - 1) == [
        "a/m (direct, chat): 7 tokens in, 50 out",
        "1  acme  a/m",
        "   $0.000100, 0.25 s, 88 tokens/s",
        "   drawn",
        "-  bolt/turbo  a/m",
        "   left out: ignore",
    ]


@pytest.mark.parametrize(
    ("rank", "decided_by", "notes", "why"),
    [
        (1, "wait", (), "ahead by wait"),
        (2, "wait", ("waiting", "outage"), "behind by wait, waiting, outage"),
        (1, "alone", (), "alone"),
        (2, "given", (), "given"),
        (2, "drawn", ("drawn",), "drawn"),
        (2, "price", (), "behind by price"),
        (1, "sticky", ("sticky", "drawn"), "ahead by sticky, drawn"),
    ],
)
def test_each_row_says_what_puts_it_there(rank: int, decided_by: str, notes: tuple[str, ...], why: str) -> None:
    row = msgspec.structs.replace(TRIED, rank=rank, decided_by=decided_by, notes=notes)
    assert lines(msgspec.structs.replace(REPORT, endpoints=[row]))[2].endswith(f"  {why}")


@pytest.mark.parametrize(("seconds", "told"), [(0.0021, "2 ms"), (0.099, "99 ms"), (0.1, "0.10 s"), (12.0, "12.00 s")])
def test_short_times_are_in_milliseconds(seconds: float, told: str) -> None:
    row = msgspec.structs.replace(TRIED, latency=Percentiles(seconds, 1, 1, 1))
    assert f"  {told} " in lines(msgspec.structs.replace(REPORT, endpoints=[row]))[2]


def test_what_stages_would_do_stands_under_the_table() -> None:
    note = Note(type="context_compression", name="context-compression", summary="Reduced 42 messages to 30")
    assert lines(msgspec.structs.replace(REPORT, pipeline=[note]))[-1] == "context-compression: Reduced 42 messages to 30"


@pytest.mark.parametrize(
    ("outlook", "told"),
    [
        (Outlook(after_seconds=0.42, provider="Bolt", tag="bolt/turbo"), "hedge: bolt/turbo after 0.42 s without content"),
        (Outlook(why_not="extra_load"), "hedge: none (extra load)"),
    ],
)
def test_what_hedging_would_do_stands_under_the_table(outlook: Outlook, told: str) -> None:
    assert lines(msgspec.structs.replace(REPORT, hedge=outlook))[-1] == told


def test_an_error_stands_under_the_table() -> None:
    report = msgspec.structs.replace(REPORT, endpoints=[], error={"message": "No endpoints found"})
    assert lines(report)[-1] == "error: No endpoints found"


def test_what_a_server_answers_is_read() -> None:
    assert read("http://x", 200, msgspec.json.encode({"data": REPORT})) == REPORT
    with pytest.raises(ApiError, match="no such model") as refusal:
        read("http://x", 400, b'{"error":{"code":400,"message":"no such model"}}')
    assert refusal.value.status == 400


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (200, b"{}"), (404, b"Not Found"), (502, b'{"error":"x"}')])
def test_something_else_that_answers_is_said_to_be_no_server(status: int, body: bytes) -> None:
    with pytest.raises(ConfigError, match="no Trunkline server"):
        read("http://x", status, body)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("127.0.0.1", "http://127.0.0.1:8787"),
        ("0.0.0.0", "http://127.0.0.1:8787"),
        ("::", "http://[::1]:8787"),
        ("::1", "http://[::1]:8787"),
    ],
)
def test_the_address_on_this_machine(host: str, told: str) -> None:
    assert address(settings.load({"host": host, "port": "8787"}, {})) == told


def test_the_key_is_the_bootstrap_key_or_the_demo_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--key"):
        find_key(settings.load({"data_dir": str(tmp_path)}, {}))
    (tmp_path / DEMO_FILE).write_text("sk-or-v1-demo\n")
    assert find_key(settings.load({"data_dir": str(tmp_path)}, {})) == "sk-or-v1-demo"
    boot = "sk-or-v1-" + "b" * 64
    assert find_key(settings.load({"data_dir": str(tmp_path)}, {"TRUNKLINE_BOOTSTRAP_API_KEY": boot})) == boot


class Server:
    """A server on loopback that answers one request."""

    def __init__(self, status: int, body: bytes) -> None:
        self._answer = b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (status, len(body), body)
        self.head = b""
        self.body = b""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in self.head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        self.body = await reader.readexactly(length)
        writer.write(self._answer)
        await writer.drain()
        writer.close()

    async def asked(self, **options: Any) -> Report:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await ask(f"http://127.0.0.1:{port}/", "sk-or-v1-k", b'{"model":"a/m"}', options.get("dialect", ""), {})


def test_a_running_server_is_asked() -> None:
    server = Server(200, msgspec.json.encode({"data": REPORT}))
    assert asyncio.run(server.asked(dialect="messages")) == REPORT
    assert server.head.startswith(b"POST /api/v1/route?dialect=messages HTTP/1.1\r\n")
    assert b"authorization: Bearer sk-or-v1-k\r\n" in server.head and server.body == b'{"model":"a/m"}'


def test_a_server_that_is_not_there_is_an_error() -> None:
    async def closed() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await ask(f"http://127.0.0.1:{port}", "k", b"{}", "", {})

    with pytest.raises(UpstreamError):
        asyncio.run(closed())
