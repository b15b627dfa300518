import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from trunkline.providers.google_keys import read_key

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_it_signs_by_rs256() -> None:
    KEY.public_key().verify(read_key(pem(KEY))(b"text"), b"text", padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (b"", "not an unencrypted key in PEM"),
        (b"nonsense", "not an unencrypted key in PEM"),
        (pem(KEY, BestAvailableEncryption(b"secret")), "not an unencrypted key in PEM"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "not an RSA key of 2048 bits or more"),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "not an RSA key of 2048 bits or more"),
    ],
)
def test_other_keys_are_refused_without_showing_them(key: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        read_key(key)
    assert "PRIVATE" not in str(caught.value)
