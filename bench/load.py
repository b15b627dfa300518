"""Load by `wrk` for plain and burst requests: its Lua script, its run, and the reading of what it prints."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from bench import workload
from bench.gateways import Gateway
from bench.processes import program

_MARK = "bench-result "

# wrk runs `done` once at the end; latencies are in microseconds, as is the duration.
_DONE = (
    "done = function(summary, latency, requests)\n"
    "  local e = summary.errors\n"
    f'  io.write(string.format(\'{_MARK}{{"requests":%d,"seconds":%.6f,"errors":%d,"p50_us":%d,"p99_us":%d}}\\n\',\n'
    "    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,\n"
    "    latency:percentile(50), latency:percentile(99)))\n"
    "end\n"
)


class Loaded(Struct, frozen=True, kw_only=True):
    """What a run of wrk did. `errors` counts connections, reads, writes, timeouts and statuses that failed."""

    requests: int
    seconds: float
    errors: int
    p50_us: int
    p99_us: int


class LoadFailed(Exception):
    """wrk failed, or some of its requests did."""


def _lua(text: str) -> str:
    """A Lua string literal of plain text, in long brackets."""
    return f"[==[{text}]==]"


def lua_script(headers: Mapping[str, str], body: bytes) -> str:
    """The script that makes wrk send this request."""
    lines = "".join(f'wrk.headers["{name}"] = {_lua(value)}\n' for name, value in headers.items())
    return f'wrk.method = "POST"\nwrk.body = {_lua(body.decode())}\n{lines}{_DONE}'


def read_result(output: str) -> Loaded:
    """The figures in wrk's output. Raises LoadFailed if they are not there."""
    line = next((line for line in output.splitlines() if line.startswith(_MARK)), None)
    if line is None:
        raise LoadFailed(f"wrk printed no result: {output[-500:]}")
    return msgspec.json.decode(line.removeprefix(_MARK), type=Loaded)


def run(gateway: Gateway, kind: workload.Kind, *, seconds: float, folder: Path, connections: int | None = None) -> Loaded:
    """Loads the gateway for that long. Raises LoadFailed if any request failed."""
    load = workload.WORKLOADS[kind]
    script = folder / f"{gateway.name}-{kind}.lua"
    script.write_text(lua_script(gateway.headers(kind), gateway.body(kind)))
    url = f"http://127.0.0.1:{gateway.ports[kind]}{gateway.path(kind)}"
    many = str(connections or load.connections)
    command = [program("wrk", "wrk"), "-t1", f"-c{many}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s", str(script), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
    if done.returncode:
        raise LoadFailed(f"wrk ended with {done.returncode}: {done.stderr[-500:]}")
    loaded = read_result(done.stdout)
    if loaded.errors or not loaded.requests:
        raise LoadFailed(f"{gateway.name} {kind}: {loaded.errors} of {loaded.requests} requests failed")
    return loaded
