"""The private keys of Google's service accounts. Only this module needs `cryptography`, so it loads with the first such key."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from trunkline.providers.google import Sign

_LEAST_BITS = 2048


def read_key(pem: bytes) -> Sign:
    """What signs with this key by RS256. Raises ValueError, which says what is wrong and shows nothing of the key."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is not an unencrypted key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise ValueError(f"is not an RSA key of {_LEAST_BITS} bits or more")
    return lambda data: key.sign(data, padding.PKCS1v15(), SHA256())
