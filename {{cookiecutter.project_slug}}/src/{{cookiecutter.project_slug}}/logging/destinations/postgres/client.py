"""The connections to PostgreSQL: a small pool, opened on first use, with verified TLS."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from ...errors import AccessError
from ..driver import PACKAGE, translated_errors
from .errors import translate
from .settings import UNVERIFIED_MODES, PostgresSettings, check_user, parse_dsn, root_certificate, ssl_mode

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

POOL_SIZE = 2  # connections: one to write, one to query meanwhile
CONNECT_TIMEOUT = 10.0
RELEASE_TIMEOUT = 1.0  # seconds to cancel a running statement before its connection is terminated
CLOSE_TIMEOUT = 0.5


class PostgresClient:
    """A pool of connections to the server in POSTGRES_DSN. Raise SettingError if a setting is malformed."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._url = settings.postgres_dsn.get_secret_value().strip()
        hosts, self._options = parse_dsn(self._url)
        check_user(self._url, self._options)
        self.server = f"PostgreSQL at {', '.join(hosts) or 'its local socket'}"
        self.root_certificate = root_certificate(settings.postgres_ssl_root_cert, self._options)
        self.ssl_mode = ssl_mode(hosts, self._options, self.root_certificate)
        self.sessions = 0
        """How many connections were made so far."""
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection; terminate it if release times out, and re-raise the body's error."""
        import asyncpg  # noqa: PLC0415 - a driver is imported by the destination that is switched on

        with translated_errors(partial(translate, server=self.server)):
            pool = await self._open_pool()
            connection = await pool.acquire()
            try:
                yield connection
            except asyncpg.InternalClientError:  # the server ended the idle session, but the socket is still open
                connection.terminate()
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
            msg = f"{self.server} needs TLS files that cannot be read ({files}): {error}"
            raise AccessError(msg) from error
        context.check_hostname = self.ssl_mode != "verify-ca"
        context.set_alpn_protocols(["postgresql"])
        return context

    async def _open_pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """Return the pool, which reconnects by itself; nothing is prepared, so PgBouncer may switch sessions."""
        import asyncpg  # noqa: PLC0415

        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=POOL_SIZE,
                    init=self._count_session,
                    reset=_skip_reset,
                    timeout=CONNECT_TIMEOUT,
                    ssl=None if self.ssl_mode in UNVERIFIED_MODES else self.tls_context(),
                    statement_cache_size=0,
                    server_settings={"application_name": self._options.get("application_name", PACKAGE)},
                )
            return self._pool

    async def _count_session(self, _: object) -> None:
        self.sessions += 1


async def _skip_reset(connection: object) -> None:
    """Save the round trip that resets a returned connection: sessions are never changed."""
