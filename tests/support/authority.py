"""Certificates for servers in tests, good ones and bad ones."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import trustme

Flaw = Literal["", "expired", "wrong-name", "self-signed", "unknown-authority"]


class Certificate(NamedTuple):
    """What a server on 127.0.0.1 shows, and the file of roots that its clients know."""

    cert_file: str
    key_file: str
    ca_file: str


def make_certificate(folder: Path, flaw: Flaw = "") -> Certificate:
    """A certificate for 127.0.0.1, with at most one flaw, and the authority that should have vouched for it; written into `folder`."""
    known = trustme.CA()
    names = ["127.0.0.1"] if flaw != "wrong-name" else ["127.0.0.2", "elsewhere.example"]
    past = datetime(2020, 1, 1, tzinfo=UTC)
    issuer = trustme.CA() if flaw == "unknown-authority" else known
    leaf = issuer.issue_cert(*names, not_before=datetime(2019, 1, 1, tzinfo=UTC), not_after=past if flaw == "expired" else None)
    chain, key = leaf.cert_chain_pems[0], leaf.private_key_pem
    if flaw == "self-signed":
        alone = trustme.CA()
        chain, key = alone.cert_pem, alone.private_key_pem
    certificate = Certificate(*(str(folder / name) for name in ("cert.pem", "key.pem", "ca.pem")))
    chain.write_to_path(certificate.cert_file)
    key.write_to_path(certificate.key_file)
    known.cert_pem.write_to_path(certificate.ca_file)
    return certificate
