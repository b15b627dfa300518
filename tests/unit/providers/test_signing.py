"""Which signer an endpoint has, and that it is kept."""

import asyncio
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from endpoints import PLAIN
from msgspec.structs import replace

from trunkline.errors import UpstreamRefused
from trunkline.protocol.catalogue import Auth, AuthStyle, Endpoint
from trunkline.providers import signing
from trunkline.providers.aws import Keys
from trunkline.providers.google_keys import read_key
from trunkline.providers.signing import Signer, Signers
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard

BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com"
KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
PEM = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)
ACCOUNT = msgspec.json.encode(
    {
        "type": "service_account",
        "client_email": "robot@acme-1.iam.example",
        "private_key": PEM,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
).decode()


def endpoint(style: AuthStyle, source: str = "", base_url: str = BEDROCK) -> Endpoint:
    return replace(PLAIN, base_url=base_url, auth=Auth(style=style, source=source))


def signers(environ: dict[str, str], **changes: Any) -> Signers:
    return Signers(environ, Client(EgressGuard()), read_key, **changes)


def opened(signer: Signer | None) -> str:
    assert signer is not None
    return asyncio.run(signer.headers("POST", BEDROCK + "/model/m/converse", b""))["authorization"]  # type: ignore[arg-type]


@pytest.mark.parametrize("style", ["bearer", "header", "none"])
def test_a_fixed_header_needs_no_signer(style: AuthStyle) -> None:
    assert signers({}).to(endpoint(style)) is None


def test_one_signer_serves_all_endpoints_of_a_credential_and_a_region() -> None:
    kept = signers(KEYS)
    first = kept.to(endpoint("aws"))
    assert kept.to(replace(endpoint("aws"), id="other")) is first
    assert kept.to(endpoint("aws", base_url=BEDROCK.replace("east", "west"))) is not first


def test_aws_credentials_in_their_order() -> None:
    assert "Credential=AKID/" in opened(signers(KEYS).to(endpoint("aws")))
    assert opened(signers({**KEYS, "AWS_BEARER_TOKEN_BEDROCK": "b"}).to(endpoint("aws"))) == "Bearer b"
    own = '{"accessKeyId":"OWN","secretAccessKey":"s","region":"eu-west-1"}'
    made = opened(signers({**KEYS, "MINE": own}).to(endpoint("aws", "env:MINE")))
    assert "Credential=OWN/" in made
    assert "/eu-west-1/bedrock/" in made
    assert "Credential=AKID/" in opened(signers(KEYS).to(endpoint("aws", "env:MINE")))
    chained = signers(KEYS, chain=lambda: Keys("CHAIN", "s"))
    assert "Credential=CHAIN/" in opened(chained.to(endpoint("aws", "chain")))
    assert "Credential=CHAIN/" in opened(signers({}, chain=lambda: Keys("CHAIN", "s")).to(endpoint("aws")))


@pytest.mark.parametrize(
    ("style", "source", "environ", "base_url"),
    [
        ("aws", "", KEYS, "https://a.test"),
        ("aws", "", {**KEYS, "AWS_REGION": "evil.test/"}, "https://a.test"),
        ("aws", "", {"AWS_BEARER_TOKEN_BEDROCK": "two words"}, BEDROCK),
        ("google", "env:ACCOUNT", {}, "https://a.test"),
        ("google", "env:ACCOUNT", {"ACCOUNT": "{}"}, "https://a.test"),
    ],
)
def test_a_credential_that_cannot_be_used_is_a_failure_of_the_endpoint(
    style: AuthStyle, source: str, environ: dict[str, str], base_url: str
) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        signers(environ).to(endpoint(style, source, base_url))
    assert caught.value.kind == "credential"


def test_google_has_a_key_or_the_machines_own_account() -> None:
    async def both() -> None:
        kept = Signers({"ACCOUNT": ACCOUNT}, Client(EgressGuard()), read_key)
        assert kept.to(endpoint("google", "env:ACCOUNT")) is kept.to(endpoint("google", "env:ACCOUNT"))
        assert kept.to(endpoint("google")) is not kept.to(endpoint("google", "env:ACCOUNT"))
        assert kept.metadata() is kept.metadata()
        await kept.close()

    asyncio.run(both())


def test_googles_token_is_forgotten_when_it_is_refused() -> None:
    class Tokens:
        forgotten: object = None

        async def headers(self) -> dict[str, str]:
            return {"authorization": "Bearer g"}

        def forget(self, headers: object) -> None:
            self.forgotten = headers

    from trunkline.providers.signing import _GoogleSigner

    tokens = Tokens()
    signer = _GoogleSigner(tokens)  # type: ignore[arg-type]
    assert opened(signer) == "Bearer g"
    signer.forget({"authorization": "Bearer g"})
    assert tokens.forgotten == {"authorization": "Bearer g"}


def test_nothing_to_close() -> None:
    asyncio.run(signers({}).close())


def test_a_callers_own_key_signs_with_what_it_holds() -> None:
    theirs = '{"accessKeyId": "THEIRS", "secretAccessKey": "s", "region": "eu-west-1"}'
    held = signers(KEYS, own={"k": theirs, "bearer": "token", "google": ACCOUNT}.get)
    assert "Credential=THEIRS/" in opened(held.to(endpoint("aws", "own:k")))
    assert opened(held.to(endpoint("aws", "own:bearer"))) == "Bearer token"
    assert held.to(endpoint("google", "own:google")) is not None


@pytest.mark.parametrize("style", ["aws", "google"])
def test_a_callers_own_key_that_is_gone_is_never_the_instances(style: AuthStyle) -> None:
    with pytest.raises(UpstreamRefused) as error:
        signers({**KEYS, "GOOGLE_APPLICATION_CREDENTIALS": ACCOUNT}).to(endpoint(style, "own:k"))
    assert error.value.kind == "credential"


def test_signers_are_kept_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "MOST_SIGNERS", 3)
    held = signers({}, own=lambda name: f"token-{name}")
    made = [held.to(endpoint("aws", f"own:{number}")) for number in range(5)]
    assert held.to(endpoint("aws", "own:4")) is made[4]
    assert held.to(endpoint("aws", "own:0")) is not made[0]
