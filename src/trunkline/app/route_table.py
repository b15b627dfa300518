"""`trunkline route`: asks a running server where a request would go, and shows the answer as a table."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from trunkline.accounts.starting_keys import DEMO_FILE
from trunkline.errors import ApiError, ConfigError
from trunkline.inference.explain import Row
from trunkline.inference.hedging import Outlook
from trunkline.inference.route_reports import PATH, Report
from trunkline.protocol.catalogue import Timeouts
from trunkline.settings import Settings
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard

LARGEST_ANSWER = 16 * 1024 * 1024
HEADER = ("#", "PROVIDER", "MODEL", "COST", "LATENCY", "TOKENS/S", "WHY")
LEAST_IN_SECONDS = 0.1
"""Shorter times are shown in milliseconds."""
_UNCOMPARED = frozenset(("", "alone", "given", "drawn"))
_TIMEOUTS = Timeouts(connect=5, first_content=30, idle=30, total=60)


class _Answer(Struct):
    data: Report


class _Problem(Struct):
    message: str


class _Refusal(Struct):
    error: _Problem


def address(settings: Settings) -> str:
    """Where the server of these settings answers on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - what the server listens on
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def find_key(settings: Settings) -> str:
    """The bootstrap key, else the demo key of the data folder. Raises ConfigError when there is neither."""
    if settings.bootstrap_api_key:
        return settings.bootstrap_api_key
    file = settings.data_dir / DEMO_FILE
    try:
        return file.read_text().strip()
    except OSError:
        raise ConfigError(str(file), "there is no demo key here", "--key, with a key of the server") from None


async def ask(url: str, key: str, body: bytes, dialect: str, environ: Mapping[str, str]) -> Report:
    """The server's report. Raises ApiError with its message when it refuses, UpstreamError when it does not answer, ConfigError when what
    answers is no such server."""
    client = Client(EgressGuard(), environ=environ)
    query = f"?{urlencode({'dialect': dialect})}" if dialect else ""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "accept": "application/json"}
    try:
        target = client.target("POST", f"{url.rstrip('/')}{PATH}{query}", headers, operator_url=True)
        response = await client.send(target, body, _TIMEOUTS)
        try:
            return read(url, response.status, await response.read_all(LARGEST_ANSWER))
        finally:
            response.close()
    finally:
        await client.close()


def read(url: str, status: int, body: bytes) -> Report:
    """What a server answered."""
    try:
        if status == 200:
            return msgspec.json.decode(body, type=_Answer).data
        message = msgspec.json.decode(body, type=_Refusal).error.message
    except msgspec.MsgspecError:
        raise ConfigError(url, f"what answers there is no Trunkline server (status {status})", "its address, with --url") from None
    raise ApiError("invalid_request", message, status=status)


def lines(report: Report, width: int | None = None) -> list[str]:
    """The table, under a line about the request. Where it is wider than `width` characters (None = any width will do), each endpoint has
    lines of its own instead."""
    head = f"{report.requested} ({report.strategy}, {report.dialect}): {report.prompt_tokens} tokens in, {report.completion_tokens} out"
    table = [HEADER, *[_cells(row) for row in (*report.endpoints, *report.excluded)]]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADER))]
    told = [f"{note.name}: {note.summary}" for note in report.pipeline]
    told += [] if report.hedge is None else [_hedge(report.hedge)]
    told += [] if report.error is None else [f"error: {report.error['message']}"]
    rows = ["  ".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)).rstrip() for line in table]
    if width is not None and max(map(len, rows)) > width:
        rows = [line for cells in table[1:] for line in _stacked(cells)]
    return [head, *rows, *told]


def _hedge(outlook: Outlook) -> str:
    """Which endpoint would be asked too, and when; or why none would."""
    if outlook.after_seconds is None:
        return f"hedge: none ({(outlook.why_not or '').replace('_', ' ')})"
    return f"hedge: {outlook.tag} after {_duration(outlook.after_seconds)} without content"


def _stacked(cells: Sequence[str]) -> Sequence[str]:
    """One row as three lines: who, how dear and fast, and why."""
    rank, tag, model, cost, latency, speed, why = cells
    known = [text for cell, text in ((cost, cost), (latency, latency), (speed, f"{speed} tokens/s")) if cell != "-"]
    figures = [f"   {', '.join(known)}"] if known else []
    return (f"{rank}  {tag}  {model}", *figures, f"   {why}")


def _cells(row: Row) -> Sequence[str]:
    cost = "-" if row.predicted_cost_usd is None else f"${row.predicted_cost_usd:.6f}"
    rank = "-" if row.rank is None else str(row.rank)
    latency = "-" if row.latency is None else _duration(row.latency.p50)
    speed = "-" if row.throughput is None else f"{row.throughput.p50:.0f}"
    return (rank, row.tag, row.model, cost, latency, speed, _why(row))


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= LEAST_IN_SECONDS else f"{seconds * 1000:.0f} ms"


def _why(row: Row) -> str:
    """What puts the first row before the next, and each other behind the one above it; then what is special about it."""
    if row.rank is None:
        return f"left out: {row.rule or row.excluded_by}"
    word = row.decided_by or ""
    if word not in _UNCOMPARED:
        word = f"{'ahead' if row.rank == 1 else 'behind'} by {word}"
    return ", ".join([word, *[note for note in row.notes if note != row.decided_by]])
