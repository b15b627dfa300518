"""`trunkline route`: asks a running server where a request would go, and shows the answer as a table."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from trunkline.accounts.starting_keys import DEMO_FILE
from trunkline.errors import ApiError, ConfigError
from trunkline.inference.explain import Row
from trunkline.inference.route_reports import PATH, Report
from trunkline.protocol.catalogue import Timeouts
from trunkline.protocol.health import Percentiles
from trunkline.settings import Settings
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard

LARGEST_ANSWER = 16 * 1024 * 1024
HEADER = ("#", "PROVIDER", "MODEL", "COST", "LATENCY", "TOKENS/S", "WHY")
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


def lines(report: Report) -> list[str]:
    """The table, under a line about the request."""
    head = f"{report.requested} ({report.strategy}, {report.dialect}): {report.prompt_tokens} tokens in, {report.completion_tokens} out"
    table = [HEADER, *[_cells(row) for row in (*report.endpoints, *report.excluded)]]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADER))]
    told = [] if report.error is None else [f"error: {report.error['message']}"]
    return [head, *["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table], *told]


def _cells(row: Row) -> Sequence[str]:
    why = f"left out: {row.rule or row.excluded_by}" if row.rank is None else ", ".join(dict.fromkeys((row.decided_by or "", *row.notes)))
    cost = "-" if row.predicted_cost_usd is None else f"${row.predicted_cost_usd:.6f}"
    rank = "-" if row.rank is None else str(row.rank)
    return (rank, row.tag, row.model, cost, _median(row.latency, "{:.2f} s"), _median(row.throughput, "{:.0f}"), why)


def _median(seen: Percentiles | None, form: str) -> str:
    return "-" if seen is None else form.format(seen.p50)
