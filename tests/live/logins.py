"""Every way into a live backend: the settings that open it, and the secrets in them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.support.auth_proxy import proxied

from .targets import ConvexTarget, ElasticsearchTarget, KafkaTarget, PostgresTarget, Target

API_KEY = "my-id:a-secret-api-key"
PASSWORD = "s3cret:päss"
Request = pytest.FixtureRequest


@dataclass
class Login:
    """A target with the settings that lead into it, and the secrets in them."""

    target: Target
    settings: dict[str, str]
    secrets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = {**self.target.alone, **self.settings}


Way = Callable[[Request, ExitStack], Login]


def kafka(request: Request, _: ExitStack) -> Login:
    """Return the way in by SASL_SSL."""
    broker = request.getfixturevalue("kafka")
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.sasl_bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_USERNAME": broker.username,
        "KAFKA_SASL_PASSWORD": broker.password,
        "KAFKA_SSL_CAFILE": str(broker.ca_file),
    }
    return Login(KafkaTarget(broker), settings, [broker.password])


def kafka_scram_256(request: Request, stack: ExitStack) -> Login:
    """Return the way in by SCRAM-SHA-256."""
    login = kafka(request, stack)
    login.settings["KAFKA_SASL_MECHANISM"] = "SCRAM-SHA-256"
    return login


def kafka_scram_512(request: Request, stack: ExitStack) -> Login:
    """Return the way in by SCRAM-SHA-512."""
    login = kafka(request, stack)
    login.settings["KAFKA_SASL_MECHANISM"] = "SCRAM-SHA-512"
    return login


def kafka_plaintext(request: Request, _: ExitStack) -> Login:
    """Return the way in by a password without TLS."""
    broker = request.getfixturevalue("kafka")
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.sasl_plain_bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_USERNAME": broker.username,
        "KAFKA_SASL_PASSWORD": broker.password,
    }
    return Login(KafkaTarget(broker), settings, [broker.password])


def kafka_certificate(request: Request, _: ExitStack) -> Login:
    """Return the way in by a client certificate."""
    broker = request.getfixturevalue("kafka")
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.ssl_bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CAFILE": str(broker.ca_file),
        "KAFKA_SSL_CERTFILE": str(broker.client_certificate_file),
        "KAFKA_SSL_KEYFILE": str(broker.client_key_file),
    }
    return Login(KafkaTarget(broker), settings)


def postgres(request: Request, _: ExitStack) -> Login:
    """Return the way in by TLS, certificate and host name verified."""
    server = request.getfixturevalue("postgres")
    settings = {"POSTGRES_DSN": f"{server.dsn}?sslmode=verify-full", "POSTGRES_SSL_ROOT_CERT": str(server.ca_file)}
    return Login(PostgresTarget(server), settings, [server.password])


def elasticsearch_tls(request: Request, stack: ExitStack) -> Login:
    """Return the way in through a proxy that speaks TLS."""
    cluster, certificates = request.getfixturevalue("elasticsearch_9"), request.getfixturevalue("certificates")
    proxy = stack.enter_context(proxied(cluster.url, certificates=certificates))
    settings = {"ELASTICSEARCH_HOSTS": proxy.url, "ELASTICSEARCH_CA_CERTS": str(certificates.ca_file)}
    return Login(ElasticsearchTarget(cluster), settings)


def elasticsearch_api_key(request: Request, stack: ExitStack) -> Login:
    """Return the way in through a proxy that asks for an API key, in the form that Elasticsearch documents."""
    cluster, key = request.getfixturevalue("elasticsearch_9"), base64_of(API_KEY)
    proxy = stack.enter_context(proxied(cluster.url, authorization=f"ApiKey {key}"))
    settings = {"ELASTICSEARCH_HOSTS": proxy.url, "ELASTICSEARCH_API_KEY": API_KEY}
    return Login(ElasticsearchTarget(cluster), settings, [API_KEY, key])


def elasticsearch_basic(request: Request, stack: ExitStack) -> Login:
    """Return the way in through a proxy that asks for a user and a password."""
    cluster, token = request.getfixturevalue("elasticsearch_9"), base64_of(f"elastic:{PASSWORD}")
    proxy = stack.enter_context(proxied(cluster.url, authorization=f"Basic {token}"))
    settings = {
        "ELASTICSEARCH_HOSTS": proxy.url,
        "ELASTICSEARCH_USERNAME": "elastic",
        "ELASTICSEARCH_PASSWORD": PASSWORD,
    }
    return Login(ElasticsearchTarget(cluster), settings, [PASSWORD, token])


def convex(request: Request, _: ExitStack) -> Login:
    """Return the way in by the deployment's key."""
    deployment = request.getfixturevalue("convex")
    return Login(ConvexTarget(deployment), {}, [deployment.api_key])


WAYS = (
    kafka,
    kafka_scram_256,
    kafka_scram_512,
    kafka_plaintext,
    kafka_certificate,
    postgres,
    elasticsearch_tls,
    elasticsearch_api_key,
    elasticsearch_basic,
    convex,
)


def base64_of(text: str) -> str:
    """Return a text as HTTP headers have it."""
    return base64.b64encode(text.encode()).decode()
