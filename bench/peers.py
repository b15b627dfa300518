"""Other gateways for language models, each in its own environment (`bench.environments`): configuration, start, and what it does.

Each runs on one core like the others, with one process, no database and no log line per request, prices configured where it has
them. That is less than Trunkline does; `DUTIES` tells it row by row.
"""

import os
import re
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from bench import workload
from bench.environments import find
from bench.gateways import KINDS, Gateway, Place, Starter, started
from bench.processes import Process, free_port, program
from bench.upstream import Upstream

MASTER_KEY = "sk-bench-0123456789abcdef"

# The gateway that the Python package embeds: the package has no other server, and this private name is the only one that starts it.
_EMBEDDED = (
    "import sys, threading, tensorzero\n"
    "gateway = tensorzero._start_http_gateway(\n"
    "    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)\n"
    "print(gateway.base_url, flush=True)\n"
    "threading.Event().wait()\n"
)
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)(/openai/v1)")


def _environ(place: Place, **more: str) -> dict[str, str]:
    """The caller's environment, with the upstream's authority trusted and a home of its own."""
    trust = {"SSL_CERT_FILE": str(place.upstream.authority), "NODE_EXTRA_CA_CERTS": str(place.upstream.authority)}
    return {**os.environ, **trust, "HOME": str(place.folder), **more}


def tensorzero_config(upstream: Upstream) -> str:
    """A tensorzero.toml with one model and provider for each workload, observability off."""
    models = (
        f'[models."bench/{kind}"]\nrouting = ["bench"]\n\n'
        f'[models."bench/{kind}".providers.bench]\ntype = "openai"\nmodel_name = "bench-1"\n'
        f'api_base = "{upstream.url(kind)}/"\napi_key_location = "env::BENCH_KEY"\n'
        "cost = [\n"
        '  { pointer = "/usage/prompt_tokens", cost_per_million = 1 },\n'
        '  { pointer = "/usage/completion_tokens", cost_per_million = 2 },\n'
        "]\n"
        for kind in KINDS
    )
    return "\n".join(("[gateway]\nobservability.enabled = false\n", *models))


def tensorzero(place: Place) -> Gateway:
    """TensorZero's embedded gateway. It chooses its port itself and prints it once it listens; it joins the last two events."""
    config = place.folder / "tensorzero.toml"
    config.write_text(tensorzero_config(place.upstream))
    command = [str(find("tensorzero") / "bin" / "python"), "-c", _EMBEDDED, str(config)]
    log = place.folder / "tensorzero.log"
    environ = _environ(place, BENCH_KEY="upstream-secret", TENSORZERO_DISABLE_PSEUDONYMOUS_USAGE_ANALYTICS="1")
    process = place.stack.enter_context(Process(command, cores=place.cores, log=log, environ=environ))
    ready = process.wait_until(lambda: _ADDRESS.search(log.read_text(errors="replace")) is not None)
    port, path = _ADDRESS.findall(log.read_text(errors="replace"))[0]
    return Gateway(
        name="tensorzero",
        ports=dict.fromkeys(KINDS, int(port)),
        paths=dict.fromkeys(KINDS, path),
        prefix="tensorzero::model_name::",
        events=workload.EVENTS - 1,
        process=process,
        ready_s=ready,
    )


def portkey(place: Place) -> Gateway:
    """Portkey's gateway on Node.js, without its log page. The provider is named in headers; it sends the caller's key on."""
    server = find("portkey") / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    port = free_port()
    command = [program("node", "nodejs"), str(server), f"--port={port}", "--headless"]
    gateway = started("portkey", place, command, port, environ=_environ(place, NODE_ENV="production"), health="/")
    gateway.paths = dict.fromkeys(KINDS, "/v1")
    gateway.extra = {kind: {"x-portkey-provider": "openai", "x-portkey-custom-host": place.upstream.url(kind)} for kind in KINDS}
    return gateway


def litellm_config(upstream: Upstream) -> bytes:
    """A configuration of LiteLLM's proxy, as JSON, which is YAML too: a priced model for each workload, and a master key."""
    models = [
        {
            "model_name": f"bench/{kind}",
            "litellm_params": {
                "model": "openai/bench-1",
                "api_base": upstream.url(kind),
                "api_key": "upstream-secret",
                "input_cost_per_token": 0.000001,
                "output_cost_per_token": 0.000002,
            },
        }
        for kind in KINDS
    ]
    return msgspec.json.encode({"model_list": models, "general_settings": {"master_key": MASTER_KEY}})


def litellm(place: Place) -> Gateway:
    """LiteLLM's proxy with one worker. Callers ask for no compression, since it would gzip its answers."""
    port, config = free_port(), place.folder / "litellm.yaml"
    config.write_bytes(litellm_config(place.upstream))
    command = [str(find("litellm") / "bin" / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    environ = _environ(place, SSL_VERIFY=str(place.upstream.authority), **quiet)
    gateway = started(
        "litellm", place, [*command, "--num_workers", "1"], port, environ=environ, key=MASTER_KEY, health="/health/liveliness"
    )
    gateway.paths = dict.fromkeys(KINDS, "/v1")
    gateway.extra = {kind: {"Accept-Encoding": "identity"} for kind in KINDS}
    return gateway


PEERS: Mapping[str, Starter] = {"tensorzero": tensorzero, "portkey": portkey, "litellm": litellm}
"""The rows that `--peers` adds, in their order."""


class Duties(Struct, frozen=True, kw_only=True):
    """What a gateway does for one request as it is measured here, in a few words each."""

    version: str
    key: str
    routing: str
    metering: str
    budget: str
    records: str
    json: str


_PROXY = {"key": "no", "routing": "by path", "metering": "no", "budget": "no", "records": "no", "json": "not read"}

DUTIES: Mapping[str, Duties] = {
    "nginx": Duties(version="of Debian", **_PROXY),
    "envoy": Duties(version="1.40.0", **_PROXY),
    "trunkline": Duties(
        version="this tree",
        key="each caller's own, by hash",
        routing="model to endpoints by price, health and preferences",
        metering="tokens and cost, told in the answer",
        budget="reserved before the call, settled after it",
        records="every call: spool, then SQLite",
        json="request, reply and every event",
    ),
    "tensorzero": Duties(
        version="2026.6.0, embedded",
        key="off, needs PostgreSQL",
        routing="model to a list of providers",
        metering="tokens and cost, told in the answer",
        budget="off, rate limits need PostgreSQL or Valkey",
        records="off, needs ClickHouse or PostgreSQL",
        json="request, reply and every event",
    ),
    "portkey": Duties(
        version="1.15.2, Node.js",
        key="no, passed on to the provider",
        routing="headers of the request",
        metering="no",
        budget="no",
        records="no",
        json="request and reply; streams are split into events",
    ),
    "litellm": Duties(
        version="1.106.2",
        key="one master key; callers' own need PostgreSQL",
        routing="model to a list of deployments",
        metering="tokens and cost, told in the answer",
        budget="off, needs PostgreSQL",
        records="off, needs PostgreSQL",
        json="request, reply and every event",
    ),
}
_HEADINGS = ("version", "key check", "routing", "metering", "budget", "records", "JSON read")


def duty_rows(names: Iterable[str]) -> list[list[str]]:
    """The duties of these gateways as rows of a table, headings first."""
    return [["gateway", *_HEADINGS], *([name, *astuple(DUTIES[name])] for name in names if name in DUTIES)]
