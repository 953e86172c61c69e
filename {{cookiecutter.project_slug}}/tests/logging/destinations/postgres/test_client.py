"""TLS connections to PostgreSQL: the server is verified, and a client certificate is presented."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.destinations.postgres.client import PostgresClient
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError

from . import postgres_helpers
from .postgres_helpers import SECRET, make_settings

if TYPE_CHECKING:
    from pathlib import Path

no_libpq_variables = postgres_helpers.no_libpq_variables


@pytest.mark.parametrize(("mode", "checks_name"), [("require", True), ("verify-ca", False), ("verify-full", True)])
def test_every_mode_that_requires_tls_verifies_the_certificate(mode: str, checks_name: bool) -> None:
    """The driver's own `require` accepts any certificate."""
    context = PostgresClient(make_settings(f"postgresql://localhost/logs?sslmode={mode}")).tls_context()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname == checks_name


async def test_a_server_without_tls_is_rejected_if_tls_is_required() -> None:
    """The message shows how to allow plain text on a trusted network."""

    async def decline(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"N")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(decline, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        dsn = f"postgresql://user:{SECRET}@127.0.0.1:{port}/logs?sslmode=require"
        destination = PostgresDestination(make_settings(dsn))
        message = rf"^PostgreSQL at 127\.0\.0\.1:{port} does not offer TLS; .*sslmode=disable"
        with pytest.raises(AccessError, match=message):
            await destination.open()
        await destination.close()


def test_a_client_certificate_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    """The message names the file."""
    missing = tmp_path / "client.pem"
    client = PostgresClient(make_settings(f"postgresql://db/logs?sslcert={missing}"))
    with pytest.raises(AccessError, match=r"^PostgreSQL at db needs TLS files that cannot be read \(.*client\.pem\)"):
        client.tls_context()


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Return a CA; its certificate and a client certificate are files in `tmp_path`."""
    authority = trustme.CA()
    client = authority.issue_cert("logs@example.org")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    return authority


@pytest.mark.parametrize("by_variable", [False, True], ids=["in the DSN", "in PGSSLCERT"])
async def test_a_client_certificate_is_presented(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    """The DSN or the variables of libpq name its files."""
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
        destination = PostgresDestination(make_settings(dsn, postgres_ssl_root_cert=str(tmp_path / "ca.pem")))
        with pytest.raises(DeliveryError):
            await destination.open()
        await destination.close()
    assert seen == ["logs@example.org"]
