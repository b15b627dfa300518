"""Signatures and encrypted reasoning: made from the text that they stand for, and known again without any memory.

As at the vendors they are opaque, only good for unchanged text, and foreign to everybody else: a mock of another `realm` refuses them, and
so does one dialect what another one sealed.
"""

import base64
import binascii
import hashlib
import hmac

_MARK = b"\x12mock"


def seal(text: str, *, kind: str, realm: str = "mock") -> str:
    """A signature of the text, in base64. `kind`: what is sealed (`thinking`, `encrypted`), so that one cannot stand for the other."""
    digest = hmac.digest(f"{realm}/{kind}".encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.b64encode(_MARK + digest).decode()


def envelope(text: str, *, kind: str, realm: str = "mock") -> str:
    """Text that only the mock can read, in base64: with its seal before it."""
    sealed = base64.b64decode(seal(text, kind=kind, realm=realm))
    return base64.b64encode(sealed + text.encode("utf-8", "surrogatepass")).decode()


def holds(signature: str, text: str, *, kind: str, realm: str = "mock") -> bool:
    """Whether the signature was made for exactly this text."""
    return hmac.compare_digest(signature.encode(), seal(text, kind=kind, realm=realm).encode())


def opens(data: str, *, kind: str, realm: str = "mock") -> bool:
    """Whether the data is an `envelope` of this realm."""
    try:
        raw = base64.b64decode(data.encode("ascii", "replace"), validate=True)
        text = raw[len(_MARK) + 32 :].decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return data == envelope(text, kind=kind, realm=realm)
