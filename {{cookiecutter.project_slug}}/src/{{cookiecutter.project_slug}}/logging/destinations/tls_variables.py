"""The environment variables that Python and OpenSSL read for TLS, and what is wrong with them."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path

from ..errors import DeliveryError


def check_tls_variables() -> None:
    """Raise DeliveryError if one of the variables names a file that cannot be used; the file may appear later."""
    if problem := unusable_tls_variable():
        raise DeliveryError(problem)


def unusable_tls_variable() -> str | None:
    """Return a sentence about the first variable that names a file or folder that cannot be used, or None."""
    for variable, (check, valid) in _VARIABLES.items():
        if path := os.environ.get(variable):
            try:
                check(path)
            except OSError as error:
                reason = "it contains no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
                return f"The environment variable {variable} is {path!r}: {reason}; use {valid}, or unset it"
    return None


def _load_certificates(path: str) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)


def _list_folders(path: str) -> None:
    for folder in path.split(os.pathsep):
        os.listdir(folder)  # noqa: PTH208 - as short, and the path need not be wrapped


def _open_for_appending(path: str) -> None:
    with Path(path).open("ab"):
        return


_VARIABLES: dict[str, tuple[Callable[[str], None], str]] = {
    "SSL_CERT_FILE": (_load_certificates, "a PEM file of the CAs to trust"),
    "SSL_CERT_DIR": (_list_folders, "a folder of CAs to trust that c_rehash has prepared"),
    "SSLKEYLOGFILE": (_open_for_appending, "a file that can be written"),
}
"""What each variable must name: how to check that, and the words for it."""
