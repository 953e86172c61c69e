"""Client certificates, with a broker that requires one."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, NamedTuple

import pytest
import trustme

from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaDestination
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, SettingError

from .kafka_helpers import make_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Broker(NamedTuple):
    """A broker that requires a client certificate, and closes each connection after the handshake."""

    address: str
    cafile: str
    certfile: str
    keyfile: str
    seen: list[str]
    """Names in the client certificates it received."""


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """Run the broker on a free port."""
    authority, seen = trustme.CA(), list[str]()
    client = authority.issue_cert("logs@example.org")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(name for _, name in writer.get_extra_info("peercert")["subjectAltName"])
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", ssl=context) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield Broker(address, *(str(tmp_path / name) for name in ("ca.pem", "client.pem", "client.key")), seen)


async def test_the_client_certificate_is_sent(broker: Broker) -> None:
    """The broker reads the name in it."""
    settings = make_settings(
        bootstrap_servers=[broker.address],
        security_protocol="SSL",
        ssl_cafile=broker.cafile,
        ssl_certfile=broker.certfile,
        ssl_keyfile=broker.keyfile,
    )
    destination = KafkaDestination(settings)
    with pytest.raises(DeliveryError, match="closed the connection"):
        await destination.open()
    await destination.close()
    assert broker.seen == ["logs@example.org"]


async def test_a_missing_client_certificate_is_mentioned(broker: Broker) -> None:
    """TLS 1.3 only closes the connection, so the error lists it as a possible reason."""
    settings = make_settings(bootstrap_servers=[broker.address], security_protocol="SSL", ssl_cafile=broker.cafile)
    destination = KafkaDestination(settings)
    with pytest.raises(DeliveryError, match="requires a client certificate"):
        await destination.open()
    await destination.close()
    assert broker.seen == []


async def test_a_variable_that_hides_the_cas_of_the_system_is_named(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL does not report a missing file, it only trusts nobody."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    destination = KafkaDestination(make_settings(bootstrap_servers=[broker.address], security_protocol="SSL"))
    with pytest.raises(AccessError, match=r"untrusted certificate \(.*; The environment variable SSL_CERT_FILE is '/"):
        await destination.open()
    await destination.close()


@pytest.mark.parametrize("with_ca", [True, False])
def test_a_file_for_tls_keys_that_cannot_be_written_is_named(
    broker: Broker, with_ca: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence does not blame the file of the CA."""
    monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/keys")
    settings = make_settings(security_protocol="SSL", ssl_cafile=broker.cafile if with_ca else "")
    with pytest.raises(SettingError, match=r"^The environment variable SSLKEYLOGFILE is '/nowhere/keys': No such file"):
        KafkaDestination(settings)
