"""Settings of the Kafka destination, and the checks of their values."""

from __future__ import annotations

import importlib.util
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from ...errors import MissingDriverError, SettingError
from ...redaction import without_login
from ...settings import LogSettings, TextList, UpperCase, full_path
from ..tls_variables import unusable_tls_variable

MAX_PORT = 65_535

_SERVER = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_TOPIC = re.compile(r"(?!\.{1,2}\Z)[a-zA-Z0-9._-]{1,249}")

LowerCase = BeforeValidator(lambda value: str(value).strip().lower())
"""Accept the value in any case, and as a number."""


class KafkaSettings(LogSettings):
    """Settings of the Kafka destination."""

    kafka_bootstrap_servers: TextList = Field(
        default=["localhost:9092"], description="Brokers to contact first: host:port, comma-separated."
    )
    kafka_topic: str = Field(default="mcp-logs", description="Topic to write to.")
    kafka_acks: Annotated[Literal["all", "1"], LowerCase] = Field(
        default="all", description="Replicas that confirm a write: all in-sync ones (all) or only the leader (1)."
    )
    kafka_compression_type: Annotated[Literal["none", "gzip", "snappy", "lz4", "zstd"], LowerCase] = Field(
        default="none", description="none or gzip; snappy, lz4 and zstd need the package cramjam."
    )
    kafka_security_protocol: Annotated[Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], UpperCase] = Field(
        default="PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
    kafka_sasl_mechanism: Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], UpperCase] = Field(
        default="PLAIN", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_sasl_username: str = Field(default="", description="User name for SASL.")
    kafka_sasl_password: SecretStr = Field(default=SecretStr(""), description="Password for SASL.")
    kafka_ssl_cafile: str = Field(default="", description="PEM file of the CA; if empty, the system's CAs are trusted.")
    kafka_ssl_certfile: str = Field(default="", description="PEM file of a client certificate.")
    kafka_ssl_keyfile: str = Field(default="", description="PEM file of its private key, without a passphrase.")
    kafka_max_message_bytes: int = Field(
        default=1_048_576,  # the default of a broker's message.max.bytes
        ge=16_384,
        le=100_000_000,
        description="Largest record the topic accepts, in bytes; larger entries are trimmed.",
    )


def check_settings(settings: KafkaSettings) -> None:
    """Raise SettingError if a value cannot work, MissingDriverError if the package of a codec is not installed."""
    _check_servers(settings.kafka_bootstrap_servers)
    _check_topic(settings.kafka_topic)
    _check_codec(settings.kafka_compression_type)
    _check_login(settings)
    ssl_context(settings)


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """Return a context that verifies brokers, or None without TLS; raise SettingError if a file cannot be read.

    Each call reads the files again, so that a new connection uses a renewed certificate.
    """
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    cafile = _path(settings.kafka_ssl_cafile, "KAFKA_SSL_CAFILE")
    certfile = _path(settings.kafka_ssl_certfile, "KAFKA_SSL_CERTFILE")
    keyfile = _path(settings.kafka_ssl_keyfile, "KAFKA_SSL_KEYFILE")
    with _reading("KAFKA_SSL_CAFILE", settings.kafka_ssl_cafile):
        context = ssl.create_default_context(cafile=cafile)
    if certfile is not None:
        with _reading("KAFKA_SSL_CERTFILE", f"{settings.kafka_ssl_certfile} (key: {keyfile or 'same file'})"):
            # Without a password, OpenSSL would ask for the passphrase of a key on the terminal.
            context.load_cert_chain(certfile, keyfile, password="")
    return context


def _path(value: str, setting: str) -> str | None:
    return str(full_path(value, setting=setting)) if value else None


@contextmanager
def _reading(setting: str, value: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if (not value or error.filename) and (problem := unusable_tls_variable()):  # the file of SSLKEYLOGFILE
            raise SettingError(problem) from error
        msg = f"{setting} is {value!r}, which cannot be read ({error.strerror or error}); use PEM without a passphrase"
        raise SettingError(msg) from error


def _check_servers(servers: Sequence[str]) -> None:
    if not servers:
        msg = "KAFKA_BOOTSTRAP_SERVERS is empty; set it to host:port, comma-separated for several"
        raise SettingError(msg)
    for server in servers:
        match = _SERVER.fullmatch(server)
        if match is None or not 1 <= int(match[1]) <= MAX_PORT:
            shown = without_login(server)
            msg = f"KAFKA_BOOTSTRAP_SERVERS contains {shown!r}; write host:port, comma-separated for several"
            raise SettingError(msg)


def _check_topic(topic: str) -> None:
    if _TOPIC.fullmatch(topic) is None:
        msg = f"KAFKA_TOPIC is {topic!r}; use 1 to 249 letters, digits, '.', '_' and '-', but not '.' or '..' alone"
        raise SettingError(msg)


def _check_codec(codec: str) -> None:
    if codec not in ("none", "gzip") and importlib.util.find_spec("cramjam") is None:
        msg = f"KAFKA_COMPRESSION_TYPE is {codec!r}, which needs the package cramjam: run pip install cramjam"
        raise MissingDriverError(msg)


def _check_login(settings: KafkaSettings) -> None:
    protocol = settings.kafka_security_protocol
    if not protocol.startswith("SASL_"):
        if settings.kafka_sasl_username:
            msg = f"KAFKA_SECURITY_PROTOCOL is {protocol!r}, which ignores KAFKA_SASL_USERNAME; use SASL_SSL to log in"
            raise SettingError(msg)
        return
    for name in ("kafka_sasl_username", "kafka_sasl_password"):
        if not getattr(settings, name):
            msg = f"{name.upper()} is empty, but KAFKA_SECURITY_PROTOCOL {protocol!r} requires it"
            raise SettingError(msg)
