"""Settings of the PostgreSQL destination and the checks of their values."""

from __future__ import annotations

import getpass
import ipaddress
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import Field, SecretStr

from ...errors import SettingError
from ...settings import LogSettings

MAX_PORT = 65_535
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
MODES: tuple[SslMode, ...] = get_args(SslMode)
UNVERIFIED_MODES = MODES[:3]  # values of `sslmode` that do not check the server's certificate

DEFAULT_TABLE = "unified_logs"
FORMER_DEFAULT_TABLE = "mcp_logs"

_USER_AND_HOST = "postgresql://USER@HOST:5432/DATABASE"
_VALID_DSN = f"{_USER_AND_HOST}; a password follows USER after a colon, with @ : / ? # % as %40 %3A %2F %3F %23 %25"


class PostgresSettings(LogSettings):
    """Settings of the PostgreSQL destination."""

    postgres_dsn: SecretStr = Field(
        default=SecretStr("postgresql://mcp_logs@localhost:5432/mcp_logs"),
        description="Connection URL: postgresql://user:password@host:port/database?sslmode=...",
    )
    postgres_table: str = Field(default=DEFAULT_TABLE, description="table or schema.table; created if missing.")
    postgres_ssl_root_cert: str | None = Field(
        default=None, description="PEM file of the CAs to trust; unset: the system's CAs."
    )


def parse_dsn(url: str) -> tuple[list[str], dict[str, str]]:
    """Return the hosts (with their ports) and the options of a URL; raise SettingError without any part of the URL."""
    problem: str | None = "it is not a URL, or its options are not of the form name=value&name=value"
    with suppress(ValueError):  # its text may contain the password
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        hosts = parts.netloc.rpartition("@")[2] or options.get("host") or os.environ.get("PGHOST", "")
        problem = _problem(url, parts, ports=[*map(port_of, hosts.split(",")), *options.get("port", "").split(",")])
    if problem:
        msg = f"POSTGRES_DSN is malformed: {problem}; valid is {_VALID_DSN}"
        raise SettingError(msg)
    return [unquote(host) for host in hosts.split(",") if host], options


def check_user(url: str, options: dict[str, str]) -> None:
    """Raise SettingError if the URL names no user and this process's own, the driver's default, has no name."""
    if urlsplit(url).username or {"user", "service"} & options.keys() or {"PGUSER", "PGSERVICE"} & os.environ.keys():
        return
    try:
        getpass.getuser()
    except (ImportError, KeyError, OSError) as error:
        msg = f"POSTGRES_DSN names no user, and the user of this process has no name; valid is {_USER_AND_HOST}"
        raise SettingError(msg) from error


def root_certificate(setting: str | None, options: dict[str, str]) -> str | None:
    """Return the file of the CAs to trust, None for the system's; raise SettingError if the file does not exist."""
    sources = {
        "POSTGRES_SSL_ROOT_CERT": setting,
        "sslrootcert in POSTGRES_DSN": options.get("sslrootcert"),
        "PGSSLROOTCERT": os.environ.get("PGSSLROOTCERT"),
    }
    source, value = next(((source, value) for source, value in sources.items() if value), ("", "system"))
    if value == "system":
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        msg = f"{source} is {value!r}, which is not a file; valid is a PEM file of CA certificates"
        raise SettingError(msg)
    return os.fspath(path)


def ssl_mode(hosts: list[str], options: dict[str, str], root: str | None) -> SslMode:
    """Return the configured `sslmode`; by default, verify all servers except local ones without a root certificate."""
    default = "prefer" if root is None and all(map(_is_local, hosts)) else "verify-full"
    configured = options.get("sslmode") or os.environ.get("PGSSLMODE") or default
    for mode in MODES:
        if mode == configured:
            return mode
    msg = f"POSTGRES_DSN or PGSSLMODE has sslmode {configured!r}; valid are {', '.join(MODES)}"
    raise SettingError(msg)


def wanted_session(hosts: list[str], options: dict[str, str]) -> str:
    """Return the configured `target_session_attrs`; by default, of several hosts use one that accepts writes."""
    default = "read-write" if len(hosts) > 1 else "any"
    return options.get("target_session_attrs") or os.environ.get("PGTARGETSESSIONATTRS") or default


def _problem(url: str, parts: SplitResult, *, ports: list[str]) -> str | None:
    if parts.scheme not in ("postgresql", "postgres"):
        return "it does not start with postgresql://"
    if parts.fragment or url.count("@") > int("@" in parts.netloc) or any(character.isspace() for character in url):
        return "it contains a space, or a character of the password that is not escaped"
    if not all(port == "" or (port.isdecimal() and 1 <= int(port) <= MAX_PORT) for port in ports):
        return f"its port is not between 1 and {MAX_PORT}"
    return None


def port_of(host: str) -> str:
    """Return the port of `name:port`, `[ipv6]:port` or a socket folder; empty if it has none."""
    return "" if host.startswith("/") else host.rpartition("]")[2].partition(":")[2]


def _is_local(host: str) -> bool:
    """Return whether a host, with or without a port, is this machine."""
    if host.startswith("/"):  # the folder of a Unix socket
        return True
    name = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
