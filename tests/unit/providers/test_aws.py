"""AWS signatures: AWS's published examples, botocore's own signatures, and where credentials come from."""

import asyncio
import logging
import threading
from collections.abc import Mapping

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import ConfigError, UpstreamRefused
from trunkline.protocol.catalogue import Timeouts
from trunkline.providers.aws import ANEW, AwsSigner, Botocore, Keys, checked_region, keys_in, keys_of, missing, region_of, sign
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard
from trunkline.transport.target import render_headers

EXAMPLE = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
THEN = 1_440_938_160.0
"""20150830T123600Z, the moment of AWS's examples."""
URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-micro-v1%3A0/converse"


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "signature"),
    [
        ("GET", "/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("GET", "/?Param2=value2&Param1=value1", {}, b"", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        (
            "POST",
            "/",
            {"content-type": "application/x-www-form-urlencoded"},
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_the_published_examples(method: str, path: str, headers: dict[str, str], body: bytes, signature: str) -> None:
    """AWS's Signature Version 4 test suite: get-vanilla, post-vanilla, get-vanilla-query-order-key-case, post-x-www-form-urlencoded."""
    made = sign(EXAMPLE, method, f"https://example.amazonaws.com{path}", body, headers, region="us-east-1", service="service", now=THEN)
    assert made["x-amz-date"] == "20150830T123600Z"
    assert made["authorization"].endswith(f"Signature={signature}")
    assert "x-amz-security-token" not in made


def botocore_signature(keys: Keys, method: str, url: str, body: bytes, headers: Mapping[str, str], moment: str, region: str) -> str:
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    request.context["timestamp"] = moment
    auth = SigV4Auth(BotoCredentials(keys.access_key, keys.secret_key, keys.session_token or None), "bedrock", region)
    if keys.session_token:
        request.headers["X-Amz-Security-Token"] = keys.session_token
    request.headers["X-Amz-Date"] = moment
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return str(auth.signature(text, request))


@given(
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#%\\"), max_size=12), max_size=4),
    st.binary(max_size=50),
    st.sampled_from(["", "token=="]),
)
def test_signatures_are_botocores(segments: list[str], body: bytes, token: str) -> None:
    """The path is escaped as the address does it, and once more in what is signed."""
    from urllib.parse import quote

    url = "https://bedrock-runtime.eu-west-3.amazonaws.com/" + "/".join(quote(one, safe="") for one in segments)
    keys = Keys("AKIDEXAMPLE", "secret/+=", token)
    made = sign(keys, "POST", url, body, {"content-type": "application/json"}, region="eu-west-3", service="bedrock", now=THEN)
    wanted = botocore_signature(keys, "POST", url, body, {"content-type": "application/json"}, "20150830T123600Z", "eu-west-3")
    assert made["authorization"].rpartition("Signature=")[2] == wanted
    assert made.get("x-amz-security-token", "") == token


@pytest.mark.parametrize(
    "url", [URL, "http://127.0.0.1:9001/model/a%2Fb/converse-stream", "https://[::1]:8443/x/", "https://a.test:443/x?b=2&a=%20"]
)
def test_addresses_are_signed_as_botocore_does(url: str) -> None:
    made = sign(EXAMPLE, "POST", url, b"{}", {}, region="us-east-1", service="bedrock", now=THEN)
    wanted = botocore_signature(EXAMPLE, "POST", url, b"{}", {}, "20150830T123600Z", "us-east-1")
    assert made["authorization"].rpartition("Signature=")[2] == wanted


def headers(signer: AwsSigner) -> dict[str, str]:
    return asyncio.run(signer.headers("POST", URL, b"{}"))


def test_a_signer_signs_the_content_type_and_the_token() -> None:
    made = headers(AwsSigner(Keys("AKID", "secret", "token"), "us-east-1", clock=lambda: THEN))
    assert set(made) == {"authorization", "x-amz-date", "x-amz-security-token"}
    assert "Credential=AKID/20150830/us-east-1/bedrock/aws4_request" in made["authorization"]
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token," in made["authorization"]


def test_a_bearer_token_stands_for_a_signature() -> None:
    assert headers(AwsSigner(Keys(bearer="b"), "us-east-1")) == {"authorization": "Bearer b"}


def test_secrets_are_not_shown() -> None:
    keys = Keys("AKIDEXAMPLE", "very-secret", "token", "bearer-token")
    assert repr(keys) == "Keys(AKID...)"


class Chain:
    """Stands for botocore: counts its calls and notes the thread."""

    def __init__(self, *answers: Keys | None) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.threads: set[int] = set()

    def __call__(self) -> Keys | None:
        self.calls += 1
        self.threads.add(threading.get_ident())
        return self.answers[min(self.calls, len(self.answers)) - 1]


def test_the_chain_is_asked_once_a_minute_and_in_a_thread() -> None:
    now = [THEN]
    chain = Chain(Keys("A1", "s"), Keys("A2", "s"))
    signer = AwsSigner(None, "us-east-1", chain=chain, clock=lambda: now[0])

    async def several() -> list[str]:
        made = await asyncio.gather(*[signer.headers("POST", URL, b"") for _ in range(5)])
        return [one["authorization"].partition("Credential=")[2][:2] for one in made]

    async def story() -> None:
        assert await several() == ["A1"] * 5
        assert await several() == ["A1"] * 5
        assert chain.calls == 1
        now[0] += ANEW
        assert await several() == ["A1"] * 5
        while await several() != ["A2"] * 5:
            await asyncio.sleep(0.001)
        assert chain.calls == 2

    asyncio.run(asyncio.wait_for(story(), 30))
    assert threading.get_ident() not in chain.threads


def test_a_chain_that_fails_keeps_what_it_gave() -> None:
    now = [THEN]

    class Failing(Chain):
        def __call__(self) -> Keys | None:
            if super().__call__() is None:
                raise OSError("secret details")
            return self.answers[0]

    chain = Failing(Keys("A1", "s"), None)
    signer = AwsSigner(None, "us-east-1", chain=chain, clock=lambda: now[0])

    async def story() -> None:
        first = await signer.headers("POST", URL, b"")
        now[0] += ANEW
        await signer.headers("POST", URL, b"")
        while chain.calls < 2 or signer._asking is not None:
            await asyncio.sleep(0.001)
        assert "Credential=A1/" in (await signer.headers("POST", URL, b""))["authorization"]
        signer.forget(first)
        with pytest.raises(UpstreamRefused, match="chain failed: OSError") as caught:
            await signer.headers("POST", URL, b"")
        assert "secret" not in str(caught.value)

    asyncio.run(asyncio.wait_for(story(), 30))


def test_refused_credentials_are_asked_for_anew() -> None:
    chain = Chain(Keys("A1", "s"), Keys("A2", "s"))
    signer = AwsSigner(None, "us-east-1", chain=chain, clock=lambda: THEN)
    first = headers(signer)
    signer.forget({"authorization": "of others"})
    assert headers(signer) == first
    signer.forget(first)
    assert headers(signer) != first
    assert chain.calls == 2
    fixed = AwsSigner(Keys("A", "s"), "us-east-1", clock=lambda: THEN)
    fixed.forget(headers(fixed))
    assert "Credential=A/" in headers(fixed)["authorization"]


@pytest.mark.parametrize("chain", [None, Chain(None)])
def test_without_credentials_there_is_an_error(chain: Chain | None) -> None:
    with pytest.raises(UpstreamRefused, match="no credentials") as caught:
        headers(AwsSigner(None, "us-east-1", chain=chain))
    assert caught.value.kind == "credential"


def test_botocore_finds_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    logging.getLogger("botocore").setLevel(logging.ERROR)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    chain = Botocore(Session)
    assert chain() == chain() == Keys("AKID", "secret", "token")


def test_botocore_may_find_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/credentials")
    chain = Botocore(Session)
    assert chain() is None


@pytest.mark.parametrize(
    ("environ", "keys"),
    [
        ({}, None),
        ({"AWS_ACCESS_KEY_ID": "a"}, None),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": " s\n"}, Keys("a", "s")),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}, Keys("a", "s", "t")),
        ({"AWS_BEARER_TOKEN_BEDROCK": "b", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}, Keys(bearer="b")),
    ],
)
def test_credentials_of_the_environment(environ: dict[str, str], keys: Keys | None) -> None:
    assert keys_in(environ) == keys


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "two words", "é"])
def test_what_no_header_can_carry_is_refused_without_being_shown(value: str) -> None:
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"):
        with pytest.raises(ConfigError, match=name) as caught:
            keys_in({name: value})
        assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "variable", "name"),
    [
        ({}, "", "AWS_BEARER_TOKEN_BEDROCK"),
        ({}, "MY_KEY", "MY_KEY"),
        ({"AWS_ACCESS_KEY_ID": "a"}, "", "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}, "", ""),
        ({"AWS_BEARER_TOKEN_BEDROCK": "b"}, "", ""),
        ({"AWS_PROFILE": "work"}, "", ""),
    ],
)
def test_what_is_missing(environ: dict[str, str], variable: str, name: str) -> None:
    assert missing(environ, variable) == name


def test_a_source_of_the_operators_own() -> None:
    assert keys_of(" bearer-token\n", "x") == (Keys(bearer="bearer-token"), "")
    text = '{"accessKeyId":"a","secretAccessKey":"s","sessionToken":"t","region":"eu-west-1"}'
    assert keys_of(text, "x") == (Keys("a", "s", "t"), "eu-west-1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"accessKeyId":"s3cr3t"}',
        '{"accessKeyId":"","secretAccessKey":"s3cr3t"}',
        "s3cr3t 1",
        '{"accessKeyId":1,"secretAccessKey":"s"}',
    ],
)
def test_a_source_that_is_none_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        keys_of(text, "api_key")
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "environ", "region"),
    [
        (URL, {"AWS_REGION": "eu-west-1"}, "us-east-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", {}, "us-gov-west-1"),
        ("https://vpce-1.example.test", {"AWS_REGION": " eu-central-1 ", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-central-1"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com.evil.test", {"AWS_DEFAULT_REGION": "eu-north-1"}, "eu-north-1"),
    ],
)
def test_the_region_of_an_endpoint(url: str, environ: dict[str, str], region: str) -> None:
    assert region_of(url, environ) == region


@pytest.mark.parametrize("region", ["", "us-east-1.evil.test", "us-east-1/x", "US-EAST-1", "x", "us-east-1\n", "us--1", "us-east-100"])
def test_what_is_no_region(region: str) -> None:
    with pytest.raises(ConfigError, match="region"):
        checked_region(region, "region")
    with pytest.raises(ConfigError):
        region_of("https://a.test", {"AWS_REGION": region.strip("\n1")})


def test_what_is_sent_is_what_was_signed() -> None:
    """The request as it arrives on a real socket bears the signature that botocore makes of it."""
    keys, heard = Keys("AKID", "secret", "token"), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        heard.append((head[0].split(" "), headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse"
        client = Client(EgressGuard())
        target = client.target("POST", url, {"content-type": "application/json"}, operator_url=True)
        made = await AwsSigner(keys, "us-east-1", clock=lambda: THEN).headers("POST", url, b'{"a":1}')
        response = await client.send(target, b'{"a":1}', Timeouts(), extra_headers=render_headers(made))
        assert response.status == 200
        await response.read_all(100)
        await client.close()
        server.close()
        await server.wait_closed()

    asyncio.run(asyncio.wait_for(story(), 30))
    ((method, path, _version), headers, body) = heard[0]
    signed_headers = {"content-type": headers["content-type"]}
    url = f"http://{headers['host']}{path}"
    wanted = botocore_signature(keys, method, url, body, signed_headers, headers["x-amz-date"], "us-east-1")
    assert headers["authorization"].rpartition("Signature=")[2] == wanted
    assert headers["x-amz-security-token"] == "token"
