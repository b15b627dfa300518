"""Google's tokens against a real token server on loopback: what is signed, how often it is asked, and what happens when it refuses."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from trunkline.errors import ConfigError, ConnectFailed, EgressDenied, UpstreamError, UpstreamRefused
from trunkline.providers.google import (
    AGAIN,
    EARLY,
    METADATA,
    SCOPE,
    GoogleTokens,
    KeySource,
    MetadataGuard,
    MetadataSource,
    ServiceAccount,
    assertion,
    find_account,
    parse_account,
    token_of,
    vertex_base,
)
from trunkline.providers.google_keys import read_key
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = 1_800_000_000.0


def pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


PEM = pem(KEY)


def key_file(**changes: object) -> bytes:
    fields = {
        "type": "service_account",
        "project_id": "acme-1",
        "private_key_id": "k1",
        "private_key": PEM,
        "client_email": "robot@acme-1.iam.example",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return msgspec.json.encode({**fields, **changes})


class TokenServer:
    """Answers each request with the next of `answers` (status, document), the last one for ever, once `gate` is open."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append((lines[0], headers, body))
                await self.gate.wait()
                status, document = self.answers[min(len(self.requests), len(self.answers)) - 1]
                answer = document if isinstance(document, bytes) else msgspec.json.encode(document)
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(answer), answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def running(
    server: TokenServer, guard: Callable[[int], EgressGuard] = lambda port: EgressGuard()
) -> AsyncIterator[tuple[Client, int]]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    client = Client(guard(port), ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    try:
        yield client, port
    finally:
        await client.close()
        listener.close()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def token(value: str, seconds: int = 3600) -> tuple[int, object]:
    return 200, {"access_token": value, "expires_in": seconds, "token_type": "Bearer"}


def account(port: int) -> ServiceAccount:
    return parse_account(key_file(token_uri=f"http://127.0.0.1:{port}/token"), "key", read_key, operator=True)


def play(server: TokenServer, scene: Callable[[GoogleTokens, Clock], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with running(server) as (client, port):
            clock = Clock()
            await scene(GoogleTokens(KeySource(account(port), client, operator=True, clock=clock), clock=clock), clock)

    asyncio.run(main())


def part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_token_is_asked_for_with_a_signed_claim() -> None:
    server = TokenServer(token("t-1"))

    async def scene(tokens: GoogleTokens, clock: Clock) -> None:
        assert await tokens.headers() == {"authorization": "Bearer t-1"}
        line, headers, body = server.requests[0]
        assert line == "POST /token HTTP/1.1"
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        form = parse_qs(body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        head, claims, signature = form["assertion"][0].split(".")
        assert msgspec.json.decode(part(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
        assert msgspec.json.decode(part(claims)) == {
            "iss": "robot@acme-1.iam.example",
            "scope": SCOPE,
            "aud": f"http://{headers['host']}/token",
            "iat": int(NOW),
            "exp": int(NOW) + 3600,
        }
        KEY.public_key().verify(part(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256())

    play(server, scene)


def test_a_token_is_kept() -> None:
    server = TokenServer(token("t-1"), token("t-2"))

    async def scene(tokens: GoogleTokens, clock: Clock) -> None:
        for _ in range(3):
            assert await tokens.headers() == {"authorization": "Bearer t-1"}
        assert len(server.requests) == 1

    play(server, scene)


def test_all_who_wait_share_one_request() -> None:
    server = TokenServer(token("t-1"), token("t-2"))

    async def scene(tokens: GoogleTokens, clock: Clock) -> None:
        server.gate.clear()
        waiting = [asyncio.ensure_future(tokens.headers()) for _ in range(20)]
        await until(lambda: len(server.requests) == 1)
        waiting[0].cancel()
        server.gate.set()
        found = await asyncio.gather(*waiting[1:])
        assert found == [{"authorization": "Bearer t-1"}] * 19
        assert waiting[0].cancelled()
        assert len(server.requests) == 1

    play(server, scene)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not done():
            await asyncio.sleep(0.005)


def test_a_token_is_replaced_before_it_ends_without_anybody_waiting() -> None:
    server = TokenServer(token("t-1"), token("t-2"))

    async def scene(tokens: GoogleTokens, clock: Clock) -> None:
        await tokens.headers()
        clock.now += 3600 - EARLY
        server.gate.clear()
        assert await tokens.headers() == {"authorization": "Bearer t-1"}
        assert await tokens.headers() == {"authorization": "Bearer t-1"}
        server.gate.set()
        await until(lambda: len(server.requests) == 2)
        async with asyncio.timeout(30):
            while await tokens.headers() != {"authorization": "Bearer t-2"}:
                await asyncio.sleep(0.005)
        assert len(server.requests) == 2

    play(server, scene)


def test_a_failed_replacement_harms_nobody_while_the_token_holds() -> None:
    server = TokenServer(token("t-1"), (503, {"error": "busy"}), token("t-3"))

    async def scene(tokens: GoogleTokens, clock: Clock) -> None:
        await tokens.headers()
        clock.now += 3600 - EARLY
        await tokens.headers()
        await until(lambda: len(server.requests) == 2)
        for _ in range(5):
            assert await tokens.headers() == {"authorization": "Bearer t-1"}
        assert len(server.requests) == 2
        clock.now += AGAIN
        async with asyncio.timeout(30):
            while await tokens.headers() != {"authorization": "Bearer t-3"}:
                await asyncio.sleep(0.005)
                clock.now += AGAIN
        assert len(server.requests) == 3

    play(server, scene)


def test_a_token_that_has_ended_is_never_sent() -> None:
    server = TokenServer(token("t-1"), (503, {"error": "busy"}))

    async def scene(tokens: GoogleTokens, clock: Clock) -> None:
        await tokens.headers()
        clock.now += 3600
        with pytest.raises(UpstreamRefused):
            await tokens.headers()

    play(server, scene)


def test_a_refused_token_is_forgotten_once() -> None:
    server = TokenServer(token("t-1"), token("t-2"), token("t-3"))

    async def scene(tokens: GoogleTokens, clock: Clock) -> None:
        first = await tokens.headers()
        tokens.forget(first)
        assert await tokens.headers() == {"authorization": "Bearer t-2"}
        tokens.forget(first)
        assert await tokens.headers() == {"authorization": "Bearer t-2"}
        assert len(server.requests) == 2

    play(server, scene)


def test_a_refusal_speaks_against_the_credential() -> None:
    server = TokenServer((400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}), token("t-2"))

    async def scene(tokens: GoogleTokens, clock: Clock) -> None:
        with pytest.raises(UpstreamRefused) as caught:
            await tokens.headers()
        assert (caught.value.kind, caught.value.status) == ("credential", 400)
        assert await tokens.headers() == {"authorization": "Bearer t-2"}

    play(server, scene)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"error":"invalid_client"}', "credential"),
        (403, b"", "credential"),
        (429, b"{}", "rate_limit"),
        (500, b"<html>", "server"),
        (503, b"{}", "overloaded"),
        (200, b"not json", "malformed"),
        (200, b"{}", "malformed"),
        (200, b'{"access_token":"","expires_in":1}', "malformed"),
        (200, b'{"access_token":"a\\r\\nx: y","expires_in":1}', "malformed"),
        (200, b'{"access_token":5}', "malformed"),
        (302, b"", "server"),
    ],
)
def test_other_answers(status: int, body: bytes, kind: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        token_of(status, [], body, NOW)
    assert caught.value.kind == kind


def test_the_end_of_a_token_counts_from_the_question() -> None:
    assert token_of(200, [], b'{"access_token":"a","expires_in":60}', NOW).ends == NOW + 60
    assert token_of(200, [], b'{"access_token":"a","expires_in":-60}', NOW).ends == NOW
    assert token_of(200, [], b'{"access_token":"a"}', NOW).ends == NOW


def test_nobody_listens() -> None:
    async def main() -> None:
        async with running(TokenServer(token("x"))) as (client, port):
            pass
        tokens = GoogleTokens(KeySource(account(port), client, operator=True))
        with pytest.raises(ConnectFailed):
            await tokens.headers()

    asyncio.run(main())


def test_the_metadata_server() -> None:
    server = TokenServer(token("m-1"))

    async def main() -> None:
        async with running(server, lambda port: MetadataGuard(f"http://127.0.0.1:{port}")) as (client, port):
            base = f"http://127.0.0.1:{port}"
            assert await GoogleTokens(MetadataSource(client, base=base)).headers() == {"authorization": "Bearer m-1"}
            line, headers, _ = server.requests[0]
            assert line == "GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1"
            assert headers["metadata-flavor"] == "Google"
            for url in (f"{base}/", f"{base}/computeMetadata/v1/", f"http://127.0.0.1:{port + 1}/x", "https://example.com/"):
                with pytest.raises(EgressDenied):
                    client.target("GET", url, {}, operator_url=True)
            with pytest.raises(EgressDenied):
                client.target("GET", base + "/computeMetadata/v1/instance/service-accounts/default/token", {}, operator_url=False)

    asyncio.run(main())


def test_the_metadata_server_is_shut_to_every_other_guard() -> None:
    with pytest.raises(EgressDenied):
        MetadataSource(Client(EgressGuard(), ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))


def test_the_metadata_guard_resolves_one_host() -> None:
    async def main() -> None:
        guard = MetadataGuard()
        assert await guard.addresses("169.254.169.254", 80, operator_url=True) == ("169.254.169.254",)
        assert guard.check_url(f"{METADATA}/computeMetadata/v1/instance/service-accounts/default/token", operator_url=True).port == 80
        for host, port, operator in (("10.0.0.1", 80, True), ("169.254.169.254", 81, True), ("169.254.169.254", 80, False)):
            with pytest.raises(EgressDenied):
                await guard.addresses(host, port, operator_url=operator)

    asyncio.run(main())


@pytest.mark.parametrize(
    "uri",
    [
        *("", "http://oauth2.googleapis.com/token", "https://googleapis.com.evil.example/token", "https://evil.example/token"),
        *("https://oauth2.googleapis.com/token?x=1", "https://a@oauth2.googleapis.com/token", "https://oauth2.googleapis.com/token\r\nx"),
        *("https://oauth2.googleapis.com", "https://evilgoogleapis.com/token", "http://127.0.0.1:1/token", "https://10.0.0.1/token"),
    ],
)
def test_a_users_key_names_googles_own_token_server(uri: str) -> None:
    with pytest.raises(ConfigError, match="token_uri"):
        parse_account(key_file(token_uri=uri), "key", read_key, operator=False)


def test_an_operators_key_may_name_another_token_server() -> None:
    assert parse_account(key_file(token_uri="https://tokens.corp.example:8443/t"), "key", read_key, operator=True).token_uri.endswith(
        "8443/t"
    )
    for uri in ("http://tokens.corp.example/t", "ftp://tokens.corp.example/t", "https://u@tokens.corp.example/t"):
        with pytest.raises(ConfigError, match="token_uri"):
            parse_account(key_file(token_uri=uri), "key", read_key, operator=True)


def test_a_users_token_server_must_pass_the_egress_guard() -> None:
    client = Client(EgressGuard(), ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    with pytest.raises(EgressDenied):
        KeySource(account(1), client, operator=False)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"type":5}', "not JSON"),
        (key_file(type="authorized_user"), "service_account"),
        (key_file(client_email=""), "client_email"),
        (key_file(private_key="nonsense"), "private_key is not an unencrypted key in PEM"),
    ],
)
def test_bad_keys_are_named_and_never_shown(data: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse_account(data, "env:GOOGLE_KEY", read_key, operator=True)
    assert "PRIVATE" not in str(caught.value)
    assert "env:GOOGLE_KEY" in str(caught.value)


def test_where_a_key_is_found(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(key_file())
    for source, environ in (
        (f"file:{path}", {}),
        ("env:GOOGLE_APPLICATION_CREDENTIALS", {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}),
        ("env:GOOGLE_KEY", {"GOOGLE_KEY": key_file().decode()}),
    ):
        found = find_account(source, environ, read_key)
        assert found is not None
        assert found.client_email == "robot@acme-1.iam.example"
    assert find_account("env:GOOGLE_KEY", {}, read_key) is None
    with pytest.raises(ConfigError, match="cannot be read"):
        find_account(f"file:{path}x", {}, read_key)


def test_nothing_secret_is_printed() -> None:
    found = parse_account(key_file(), "key", read_key, operator=False)
    assert repr(found) == "ServiceAccount(robot@acme-1.iam.example)"
    assert "secret" not in repr(token_of(200, [], b'{"access_token":"secret","expires_in":1}', NOW))


def test_a_key_without_an_id_is_signed_without_one() -> None:
    text = assertion(parse_account(key_file(private_key_id=""), "key", read_key, operator=False), 5)
    assert msgspec.json.decode(part(text.split(".")[0])) == {"alg": "RS256", "typ": "JWT"}


def test_vertex_addresses() -> None:
    assert vertex_base("acme-1", "us-central1") == (
        "https://us-central1-aiplatform.googleapis.com/v1beta1/projects/acme-1/locations/us-central1"
    )
    assert vertex_base("example.com:acme-1", "global").startswith("https://aiplatform.googleapis.com/v1beta1/projects/example.com:acme-1/")
    assert vertex_base("123456789012", "eu").startswith("https://aiplatform.eu.rep.googleapis.com/")
    for project, location in (
        *(("x", "global"), ("acme-1/../..", "global"), ("acme-1?", "global"), ("Acme-11", "global")),
        *(("acme-1", ""), ("acme-1", "us-central1.evil"), ("acme-1", "evil.example/"), ("acme-1", "us-central1\n")),
    ):
        with pytest.raises(ConfigError):
            vertex_base(project, location)
