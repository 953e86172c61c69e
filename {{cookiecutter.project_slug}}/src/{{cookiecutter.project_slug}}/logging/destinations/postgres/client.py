"""The connections to PostgreSQL: a small pool, opened on first use, with verified TLS."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from ...errors import AccessError
from ..driver import PACKAGE, translated_errors
from ..tls_variables import unusable_tls_variable
from .errors import may_be_fault_of_session, translate
from .settings import (
    UNVERIFIED_MODES,
    PostgresSettings,
    check_user,
    parse_dsn,
    root_certificate,
    ssl_mode,
    wanted_session,
)
from .variables import check_variables, missing_password_file

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

POOL_SIZE = 2  # connections: one to write, one to query meanwhile
CONNECT_TIMEOUT = 10.0
RELEASE_TIMEOUT = 1.0  # seconds to cancel a running statement before its connection is terminated
CLOSE_TIMEOUT = 0.5

_logger = logging.getLogger(__name__)


class PostgresClient:
    """A pool of connections to the server in POSTGRES_DSN. Raise SettingError if a setting is malformed."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._url = settings.postgres_dsn.get_secret_value().strip()
        hosts, self._options = parse_dsn(self._url)
        check_user(self._url, self._options)
        self.server = f"PostgreSQL at {', '.join(hosts) or 'its local socket'}"
        self.root_certificate = root_certificate(settings.postgres_ssl_root_cert, self._options)
        self.ssl_mode = ssl_mode(hosts, self._options, self.root_certificate)
        self.wanted_session = wanted_session(hosts, self._options)
        check_variables(hosts, self._options, uses_tls=self.ssl_mode != "disable")
        self.sessions = 0
        """How many connections were made so far."""
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection; after an error that a new session may not have, replace all sessions.

        After a failover, sessions stay connected to a server that has become read-only. Terminate the connection also
        if its release times out.
        """
        with translated_errors(partial(translate, server=self.server)):
            pool = await self._open_pool()
            connection = await pool.acquire()
            try:
                yield connection
            except Exception as error:
                if may_be_fault_of_session(error):
                    connection.terminate()
                    await pool.expire_connections()
                raise
            finally:
                with suppress(Exception):
                    await pool.release(connection, timeout=RELEASE_TIMEOUT)

    async def close(self) -> None:
        """Close all connections; terminate those still open after CLOSE_TIMEOUT."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await pool.close()
        pool.terminate()

    def tls_context(self) -> ssl.SSLContext:
        """Return a context that verifies the server; asyncpg's own accepts any certificate for `require`.

        Raise AccessError if a certificate or key cannot be read.
        """
        certificate = self._options.get("sslcert") or os.environ.get("PGSSLCERT")
        key = self._options.get("sslkey") or os.environ.get("PGSSLKEY")
        try:
            context = ssl.create_default_context(cafile=self.root_certificate)
            if certificate:
                context.load_cert_chain(certificate, key, self._options.get("sslpassword", ""))
        except OSError as error:
            files = ", ".join(filter(None, (self.root_certificate, certificate, key)))
            reason = f"({files}): {error}" if files else f"- {unusable_tls_variable() or error}"
            msg = f"{self.server} needs TLS files that cannot be read {reason}"
            raise AccessError(msg) from error
        self._limit_versions(context)
        context.check_hostname = self.ssl_mode != "verify-ca"
        context.set_alpn_protocols(["postgresql"])
        return context

    def _limit_versions(self, context: ssl.SSLContext) -> None:
        """Apply the configured versions of TLS."""
        for limit, attribute in (("min", "minimum_version"), ("max", "maximum_version")):
            variable = os.environ.get(f"PGSSL{limit.upper()}PROTOCOLVERSION")
            if version := self._options.get(f"ssl_{limit}_protocol_version") or variable:
                setattr(context, attribute, ssl.TLSVersion[version.replace(".", "_")])

    async def _open_pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """Return the pool, which reconnects by itself; nothing is prepared, so PgBouncer may switch sessions."""
        import asyncpg  # noqa: PLC0415
        from asyncpg.connect_utils import SessionAttribute  # noqa: PLC0415

        async with self._opening:
            if self._pool is None:
                if (sentence := missing_password_file(self._url, self._options)) and not self.sessions:
                    _logger.warning("%s: %s", self.server, sentence)
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=POOL_SIZE,
                    init=self._count_session,
                    reset=_skip_reset,
                    timeout=CONNECT_TIMEOUT,
                    ssl=self.ssl_mode if self.ssl_mode in UNVERIFIED_MODES else self.tls_context(),
                    statement_cache_size=0,
                    target_session_attrs=SessionAttribute(self.wanted_session),
                    server_settings={"application_name": self._options.get("application_name", PACKAGE)},
                )
            return self._pool

    async def _count_session(self, _: object) -> None:
        self.sessions += 1


async def _skip_reset(connection: object) -> None:
    """Save the round trip that resets a returned connection: sessions are never changed."""
