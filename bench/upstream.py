"""The upstreams: nginx with fixed answers (plain, burst, TLS) and `trunkline mock` for paced streams."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import trustme
from msgspec import Struct

from bench import translations, workload
from bench.processes import Process, free_port, program

_PIECE = 3000  # nginx reads no longer word than 4 KB in its configuration


class Upstream(Struct, frozen=True, kw_only=True):
    """Where the upstreams listen, and the certificate authority (PEM) of the TLS one."""

    plain_port: int
    tls_port: int
    paced_port: int
    authority: Path

    def url(self, kind: workload.Kind) -> str:
        """The base URL a gateway is configured with."""
        path = workload.WORKLOADS[kind].path
        if kind == "tls":
            return f"https://localhost:{self.tls_port}{path}"
        return f"http://127.0.0.1:{self.paced_port if kind == 'paced' else self.plain_port}{path}"


def nginx_frame(folder: Path, inside: str) -> str:
    """A whole nginx configuration around the servers of `inside`: one worker in the foreground, all files in `folder`."""
    temporary = "\n".join(f"  {name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;\n" if os.getuid() == 0 else ""
    top = (
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr error;\nevents {{ worker_connections 1024; }}\n"
    )
    http = "  access_log off;\n  keepalive_requests 100000000;\n  keepalive_timeout 300;\n  client_body_buffer_size 64k;\n"
    return f"{top}http {{\n{http}{temporary}\n{inside}}}\n"


def _location(kind: workload.Kind, content_type: str, body: bytes) -> str:
    """A location that answers every request with these bytes, which may hold neither `'`, `$` nor a backslash."""
    load, text = workload.WORKLOADS[kind], body.decode()
    parts = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    sets = "".join(f"      set $part{number} '{part}';\n" for number, part in enumerate(parts))
    whole = "".join(f"${{part{number}}}" for number in range(len(parts)))
    place = f"{load.path}/{load.answers_at}"
    return f'    location = {place} {{\n      default_type "{content_type}";\n{sets}      return 200 "{whole}";\n    }}\n'


def nginx_upstream(folder: Path, plain_port: int, tls_port: int, certificate: Path) -> str:
    """The configuration of the upstream."""
    answers = (
        "    location = /health { return 200 ok; }\n"
        + _location("plain", "application/json", workload.reply())
        + _location("tls", "application/json", workload.reply())
        + "".join(_location(kind, "application/json", workload.reply()) for kind in workload.ROUTES)
        + _location("burst", "text/event-stream", workload.stream())
        + _location("from_messages", "text/event-stream", workload.stream())
        + _location("to_messages", "text/event-stream", translations.messages_stream(workload.pieces()))
    )
    tls = f"ssl_certificate {certificate};\n    ssl_certificate_key {certificate};\n    ssl_session_cache shared:upstream:1m;\n"
    servers = (
        f"  server {{\n    listen 127.0.0.1:{plain_port} backlog=4096;\n{answers}  }}\n"
        f"  server {{\n    listen 127.0.0.1:{tls_port} ssl backlog=4096;\n    {tls}{answers}  }}\n"
    )
    return nginx_frame(folder, servers)


def certify(folder: Path) -> tuple[Path, Path]:
    """A fresh authority and a certificate for this machine: paths of the authority's PEM and of certificate with key."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "certificate.pem")
    return folder / "authority.pem", folder / "certificate.pem"


def start(stack: ExitStack, folder: Path, cores: frozenset[int]) -> Upstream:
    """Starts both upstreams on the given cores; the stack ends them. Raises Missing or NotReady."""
    nginx = program("nginx", "nginx-light")
    authority, certificate = certify(folder)
    upstream = Upstream(plain_port=free_port(), tls_port=free_port(), paced_port=free_port(), authority=authority)
    home = folder / "upstream"
    home.mkdir()
    config = home / "nginx.conf"
    config.write_text(nginx_upstream(home, upstream.plain_port, upstream.tls_port, certificate))
    process = Process([nginx, "-p", str(home), "-c", str(config), "-e", "stderr"], cores=cores, log=home / "log")
    stack.enter_context(process).wait_ready(upstream.plain_port)
    script = folder / "mock.json"
    script.write_bytes(workload.mock_script())
    serve = [sys.executable, "-m", "trunkline", "mock", "--port", str(upstream.paced_port), "--script", str(script)]
    mock = Process(serve, cores=cores, log=folder / "mock.log")
    stack.enter_context(mock).wait_ready(upstream.paced_port)
    return upstream
