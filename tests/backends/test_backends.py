"""The servers are real: they answer, they refuse whom they should, and they keep data and port over a stop."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from typing import TYPE_CHECKING

import asyncpg
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.backends import BACKENDS, Backend, Elasticsearch, Kafka, Postgres
from tests.backends.talk import consume, hear, produce, say

if TYPE_CHECKING:
    from collections.abc import Iterator


# The two versions of Elasticsearch stop and start alike: one will do.
OWN = [choice for choice in BACKENDS if choice.name != "elasticsearch_8"]


@pytest.fixture(params=["kafka", "elasticsearch_9", "elasticsearch_8", "postgres", "convex"])
def shared_backend(request: pytest.FixtureRequest) -> Backend:
    """Each of the servers that all tests share."""
    backend: Backend = request.getfixturevalue(request.param)
    return backend


@pytest.fixture(scope="module", params=OWN, ids=[choice.name for choice in OWN])
def own_backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Each of the servers for these tests alone, which may stop it."""
    with request.param.make(tmp_path_factory.mktemp(request.param.name)) as backend:
        yield backend


def test_what_was_stored_is_found(shared_backend: Backend) -> None:
    """A message, a document and a row arrive and can be read back."""
    text = uuid.uuid4().hex

    say(shared_backend, text)

    assert text in hear(shared_backend)


def test_elasticsearch_is_of_the_version_asked_for(
    elasticsearch_9: Elasticsearch, elasticsearch_8: Elasticsearch
) -> None:
    """The two Elasticsearch servers are two, of the versions that their names say."""
    assert [elasticsearch_9.version, elasticsearch_8.version] == ["9.2.0", "8.18.8"]
    assert elasticsearch_9.url != elasticsearch_8.url


def test_kafka_takes_the_right_password_over_tls(kafka: Kafka) -> None:
    """A client that trusts the CA and knows the password writes and reads."""
    text = uuid.uuid4().hex

    produce(sasl(kafka), text)

    assert text in consume(sasl(kafka))


@pytest.mark.parametrize(
    ("setting", "value"), [("sasl.password", "wrong"), ("ssl.ca.location", "wrong_ca_file")], ids=["password", "ca"]
)
def test_kafka_refuses(kafka: Kafka, setting: str, value: str) -> None:
    """A wrong password and a CA that did not sign the server's certificate get no metadata."""
    client = AdminClient({**sasl(kafka), setting: str(getattr(kafka, value, value)), "log_level": 0})

    with pytest.raises(KafkaException):
        client.list_topics(timeout=3)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_postgres_takes_plain_and_tls_connections(postgres: Postgres, *, tls: bool) -> None:
    """Both kinds work on one port, TLS with the CA and the host name verified."""
    query = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
    options = f"?sslmode=verify-full&sslrootcert={postgres.ca_file}" if tls else "?sslmode=disable"

    assert asyncio.run(fetch(postgres.dsn + options, query)) is tls


def test_postgres_is_refused_by_a_client_with_another_ca(postgres: Postgres) -> None:
    """A client that trusts another CA ends the handshake."""
    dsn = f"{postgres.dsn}?sslmode=verify-full&sslrootcert={postgres.wrong_ca_file}"

    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(fetch(dsn, "select 1"))


def test_postgres_refuses_a_wrong_password(postgres: Postgres) -> None:
    """The password is checked."""
    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(fetch(postgres.dsn.replace(postgres.password, "wrong"), "select 1"))


def test_stop_and_start_keep_data_and_address(own_backend: Backend) -> None:
    """A server that was stopped refuses, then comes back where it was with what it had."""
    address, text = own_backend.address, uuid.uuid4().hex
    say(own_backend, text)

    own_backend.stop()
    refused = not own_backend.answers()
    own_backend.start()

    assert refused
    assert own_backend.address == address
    assert text in hear(own_backend)


def test_pause_makes_it_hang_and_resume_ends_that(own_backend: Backend) -> None:
    """A paused server neither answers nor refuses; afterwards it serves again."""
    text = uuid.uuid4().hex
    say(own_backend, "before")

    own_backend.pause()
    try:
        with pytest.raises(TimeoutError):
            say(own_backend, "lost", deadline=1)
    finally:
        own_backend.resume()
    say(own_backend, text)

    assert text in hear(own_backend)


def test_a_paused_server_can_be_stopped(own_backend: Backend) -> None:
    """To stop a paused server takes no longer than another."""
    own_backend.pause()

    own_backend.stop()

    assert own_backend.server.pid is None
    own_backend.start()


def sasl(kafka: Kafka) -> dict[str, str]:
    """Return the client settings of the TLS listener."""
    return {
        "bootstrap.servers": kafka.sasl_bootstrap_servers,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": kafka.username,
        "sasl.password": kafka.password,
        "ssl.ca.location": str(kafka.ca_file),
    }


async def fetch(dsn: str, query: str) -> object:
    """Return the one value of a query."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
