"""The environment variables of libpq that the driver reads; its errors do not name them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ...errors import SettingError
from .settings import MAX_PORT, port_of

_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_CHOICES = {
    "target_session_attrs": ("any", "primary", "standby", "prefer-standby", "read-write", "read-only", ""),
    "ssl_min_protocol_version": (*_TLS_VERSIONS, ""),
    "ssl_max_protocol_version": (*_TLS_VERSIONS, ""),
    "sslnegotiation": ("postgres", "direct"),
    "gsslib": ("gssapi", "sspi"),
}
"""The valid values of options; an empty one counts as unset where it is listed."""
_TLS_FILES = ("sslcert", "sslkey", "sslcrl")


def check_variables(hosts: Collection[str], options: Mapping[str, str], *, uses_tls: bool) -> None:
    """Raise SettingError if an option of POSTGRES_DSN, or the variable that stands in for it, is invalid."""
    for option, choices in _CHOICES.items():
        value = options.get(option, os.environ.get(_variable(option)))
        if value is not None and value not in choices:
            source = f"{option} in POSTGRES_DSN" if option in options else _named(option)
            msg = f"{source} is {value!r}; valid are {', '.join(filter(None, choices))}"
            raise SettingError(msg)
    for option in _TLS_FILES if uses_tls else ():
        path = os.environ.get(_variable(option))
        if path and option not in options and not Path(path).is_file():
            msg = f"{_named(option)} is {path!r}, which is not a file; valid is a PEM file"
            raise SettingError(msg)
    ports = os.environ.get("PGPORT")
    if ports and "port" not in options and not all(map(port_of, hosts)) and not all(map(_is_port, ports.split(","))):
        msg = f"{_named('port')} is {ports!r}; valid is a port from 1 to {MAX_PORT}"
        raise SettingError(msg)


def missing_password_file(url: str, options: Mapping[str, str]) -> str | None:
    """Return a sentence if PGPASSFILE names no file, which the driver ignores, and no password is given elsewhere."""
    path = os.environ.get("PGPASSFILE")
    has_password = urlsplit(url).password or "password" in options or "PGPASSWORD" in os.environ
    if not path or has_password or Path(path).is_file():
        return None
    return f"{_named('passfile')} is {path!r}, which is not a file, so no password is read from it"


def _variable(option: str) -> str:
    return f"PG{option.replace('_', '').upper()}"


def _named(option: str) -> str:
    return f"The environment variable {_variable(option)}"


def _is_port(text: str) -> bool:
    return text.isdecimal() and 1 <= int(text) <= MAX_PORT
