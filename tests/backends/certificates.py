"""Make the certificates that the servers show: a CA, a certificate for localhost, and a CA that signed nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import trustme
from cryptography.hazmat.primitives import serialization

if TYPE_CHECKING:
    from pathlib import Path


class Certificates:
    """The PEM files in a folder, made where they are missing: an ECDSA key each, valid for years.

    `keystore_file` holds key (PKCS#8) and certificate in one file, as Kafka wants it.
    """

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        self.ca_file = folder / "ca.pem"
        self.wrong_ca_file = folder / "wrong-ca.pem"
        self.certificate_file = folder / "server.pem"
        self.key_file = folder / "server.key"
        self.keystore_file = folder / "keystore.pem"
        folder.mkdir(parents=True, exist_ok=True)
        # Written last, so it says that all the others are there.
        if not self.keystore_file.exists():
            self._make()

    def _make(self) -> None:
        """Write all files."""
        ca = trustme.CA(organization_name="tests")
        server = ca.issue_cert("localhost", "127.0.0.1", "::1")
        chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
        ca.cert_pem.write_to_path(os.fspath(self.ca_file))
        trustme.CA(organization_name="somebody else").cert_pem.write_to_path(os.fspath(self.wrong_ca_file))
        self.certificate_file.write_bytes(chain)
        _write_secret(self.key_file, _pkcs8(server))
        _write_secret(self.keystore_file, _pkcs8(server) + chain)


def _pkcs8(certificate: trustme.LeafCert) -> bytes:
    """Return the private key in PKCS#8, the only form that Kafka reads."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_secret(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    file.touch(mode=0o600)
    file.write_bytes(content)
