"""Who we show ourselves to be to a PostgreSQL server that speaks TLS."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from . import postgres_helpers

if TYPE_CHECKING:
    from pathlib import Path

no_variables = postgres_helpers.no_variables


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Return a CA, which has signed a certificate of ours."""
    authority = trustme.CA()
    client = authority.issue_cert("logs@example.org")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    return authority


@pytest.mark.parametrize("by_variable", [False, True])
async def test_a_client_certificate_is_shown(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    """The server sees whose it is, named in the DSN or as libpq's variables name it."""
    seen = list[str]()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        await writer.start_tls(context)
        seen.extend(name for _, name in writer.get_extra_info("peercert")["subjectAltName"])
        writer.close()

    options = f"&sslcert={tmp_path}/client.pem&sslkey={tmp_path}/client.key"
    if by_variable:
        options = ""
        monkeypatch.setenv("PGSSLCERT", str(tmp_path / "client.pem"))
        monkeypatch.setenv("PGSSLKEY", str(tmp_path / "client.key"))
    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        dsn = f"postgresql://user@127.0.0.1:{port}/logs?sslmode=verify-full{options}"
        destination = PostgresDestination(dsn, ssl_root_cert=tmp_path / "ca.pem")
        with pytest.raises(DeliveryError):
            await destination.open()
        await destination.close()
    assert seen == ["logs@example.org"]
