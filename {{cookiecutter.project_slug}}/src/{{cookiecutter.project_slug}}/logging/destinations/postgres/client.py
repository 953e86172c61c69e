"""The PostgreSQL client: checked settings in, one pool and plain sentences out."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ...errors import AccessError, DeliveryError, SettingError
from ..driver import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import asyncpg

CONNECT_TIMEOUT = 10.0
MAX_PORT = 65_535
POOL_SIZE = 2
"""One connection writes, one may be read over meanwhile."""

_SCHEMES = ("postgresql", "postgres")
_UNCHECKED_MODES = ("disable", "allow", "prefer")
_MODES = (*_UNCHECKED_MODES, "require", "verify-ca", "verify-full")
_WITH_USER = re.compile(r"([\w+.-]+://)[^@/?#]*@([^@?#]*)(?:\?[^@]*)?")
_WITHOUT_USER = re.compile(r"([\w+.-]+://)([^@:?#]*(?::\d+)?(?:/[^@:?#]*)?)(?:\?[^@]*)?")
_VALID = "postgresql://user:password@host:5432/database, where a password's @ : / ? # % are %40 %3A %2F %3F %23 %25"


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """Where the server is, who we are there, and how its certificate is checked."""

    dsn: str
    address: str
    options: Mapping[str, str]
    ssl_mode: str
    ssl_root_cert: str | None

    @classmethod
    def of(cls, dsn: str, *, ssl_root_cert: str | os.PathLike[str] | None = None) -> Self:
        """Check the settings; raise SettingError, which never holds a password."""
        dsn = dsn.strip()
        try:
            hosts, options = _parse(dsn)
        except ValueError as error:
            msg = f"POSTGRES_DSN is {_place(dsn)}: {error}; valid is {_VALID}"
            raise SettingError(msg) from None
        root = _root_cert(ssl_root_cert, options)
        mode = options.get("sslmode") or os.environ.get("PGSSLMODE") or _default_mode(hosts, root)
        if mode not in _MODES:
            msg = f"POSTGRES_DSN has sslmode={mode}; valid are {', '.join(_MODES)}"
            raise SettingError(msg)
        return cls(dsn, ", ".join(hosts) or "its local socket", options, mode, root)

    async def connect(self) -> asyncpg.Pool[asyncpg.Record]:
        """Return a pool, which connects when it is used; nothing is prepared, so that PgBouncer may switch sessions."""
        import asyncpg  # noqa: PLC0415 - a driver is imported by the destination that is switched on

        name = self.options.get("application_name", PACKAGE)
        return await asyncpg.create_pool(
            self.dsn,
            min_size=0,
            max_size=POOL_SIZE,
            reset=_keep,
            timeout=CONNECT_TIMEOUT,
            ssl=None if self.ssl_mode in _UNCHECKED_MODES else self._tls(),
            statement_cache_size=0,
            server_settings={"application_name": name},
        )

    def _tls(self) -> ssl.SSLContext:
        """Return a context that checks the server: asyncpg's own for `require` would take any certificate."""
        certificate = self.options.get("sslcert") or os.environ.get("PGSSLCERT")
        key = self.options.get("sslkey") or os.environ.get("PGSSLKEY")
        try:
            context = ssl.create_default_context(cafile=self.ssl_root_cert)
            if certificate:
                context.load_cert_chain(certificate, key, self.options.get("sslpassword", ""))
        except OSError as error:
            files = ", ".join(filter(None, (self.ssl_root_cert, certificate, key)))
            msg = f"PostgreSQL at {self.address} needs certificates or keys that cannot be read ({files}): {error}"
            raise AccessError(msg) from error
        context.check_hostname = self.ssl_mode != "verify-ca"
        context.set_alpn_protocols(["postgresql"])
        return context


@contextlib.contextmanager
def explained(server: Server) -> Iterator[None]:
    """Turn what the server or the driver says into one sentence; what may pass is no AccessError."""
    import asyncpg  # noqa: PLC0415

    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise _meaning(error, f"PostgreSQL at {server.address}") from error
    except OSError as error:
        raise _connection_failure(error, f"PostgreSQL at {server.address}") from error


def _meaning(error: Exception, where: str) -> DeliveryError:
    """Return what an exception of the driver means: by the first class that it is of, so the narrower come first."""
    import asyncpg  # noqa: PLC0415

    rows: tuple[tuple[type[Exception], type[DeliveryError], str], ...] = (
        (asyncpg.InvalidAuthorizationSpecificationError, AccessError, f"{where} refuses the login of POSTGRES_DSN"),
        (asyncpg.InsufficientPrivilegeError, AccessError, f"{where} does not let the role of POSTGRES_DSN do this"),
        (asyncpg.ClientConfigurationError, AccessError, "POSTGRES_DSN is not valid"),
        (asyncpg.InternalClientError, DeliveryError, f"{where} has ended the connection"),
        (Exception, DeliveryError, where),
    )
    kind, text = next((kind, text) for raised, kind, text in rows if isinstance(error, raised))
    return kind(f"{text}: {error.args[0]}")


def _connection_failure(error: OSError, where: str) -> DeliveryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return AccessError(
            f"{where} has a certificate that is not trusted ({error.verify_message}): check POSTGRES_SSL_ROOT_CERT"
        )
    if "rejected SSL upgrade" in str(error):
        return AccessError(f"{where} offers no TLS; on a network you trust, add ?sslmode=disable to POSTGRES_DSN")
    return DeliveryError(f"{where} cannot be reached: {str(error) or type(error).__name__}")


async def _keep(connection: object) -> None:
    """Leave a returned connection as it is: nothing here changes a session, and a reset is one more round trip."""


def _parse(dsn: str) -> tuple[list[str], dict[str, str]]:
    """Return the hosts with their ports, and the options; raise ValueError without any part of the value."""
    parts = _split(dsn)
    if parts.scheme not in _SCHEMES:
        msg = "it does not begin with postgresql://"
        raise ValueError(msg)
    if parts.fragment or dsn.count("@") > int("@" in parts.netloc) or any(character.isspace() for character in dsn):
        msg = "it holds a space or a character of a password that is not escaped"
        raise ValueError(msg)
    options = _options(parts.query)
    hosts = parts.netloc.rpartition("@")[2] or options.get("host") or os.environ.get("PGHOST", "")
    ports = [_port(host) for host in hosts.split(",")] + options.get("port", "").split(",")
    if not all(port == "" or (port.isdecimal() and 1 <= int(port) <= MAX_PORT) for port in ports):
        msg = "its port is no number from 1 to 65535"
        raise ValueError(msg)
    return [unquote(host) for host in hosts.split(",") if host], options


def _split(dsn: str) -> SplitResult:
    try:
        return urlsplit(dsn)
    except ValueError:  # whose text may hold the password
        msg = "it is no URL"
        raise ValueError(msg) from None


def _options(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, strict_parsing=bool(query)))
    except ValueError:
        msg = "what follows its ? is not of the form name=value&name=value"
        raise ValueError(msg) from None


def _port(host: str) -> str:
    return "" if host.startswith("/") else host.rpartition("]")[2].partition(":")[2]


def _root_cert(setting: str | os.PathLike[str] | None, options: Mapping[str, str]) -> str | None:
    """Return the file of the CAs to trust, None for those of the system."""
    sources = {
        "POSTGRES_SSL_ROOT_CERT": os.fspath(setting or ""),
        "sslrootcert in POSTGRES_DSN": options.get("sslrootcert", ""),
        "PGSSLROOTCERT": os.environ.get("PGSSLROOTCERT", ""),
    }
    source, named = next(((source, named) for source, named in sources.items() if named), ("", "system"))
    if named == "system":
        return None
    path = Path(named).expanduser()
    if not path.is_file():
        msg = f"{source} is {named!r}, which is no file; valid is a file of CA certificates in PEM form"
        raise SettingError(msg)
    return os.fspath(path)


def _default_mode(hosts: list[str], root: str | None) -> str:
    return "prefer" if root is None and all(map(_is_local, hosts)) else "verify-full"


def _is_local(host: str) -> bool:
    """Tell whether a host with or without a port is this machine."""
    name = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    if host.startswith("/") or name == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return False


def _place(dsn: str) -> str:
    """Return where a malformed DSN leads, without user and options, or nothing where a password may be anywhere."""
    for pattern, mark in ((_WITH_USER, "***@"), (_WITHOUT_USER, "")):
        if found := pattern.fullmatch(dsn):
            return repr(f"{found[1]}{mark}{found[2]}")
    return "malformed" if dsn else "empty"
