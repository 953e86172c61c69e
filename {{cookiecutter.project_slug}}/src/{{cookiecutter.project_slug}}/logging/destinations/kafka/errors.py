"""Translate exceptions of the driver into errors of the logging stack, each with one sentence."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import AccessError, DeliveryError, InvalidEntryError, describe_error
from ..tls_variables import unusable_tls_variable
from .settings import KafkaSettings

_CLOSED = (
    "closed the connection: if this repeats, its port does not use KAFKA_SECURITY_PROTOCOL {protocol!r}, or requires a "
    "client certificate"
)
TRANSLATIONS: dict[type[DeliveryError], dict[str, str]] = {
    AccessError: {
        "SaslAuthenticationFailed": "rejects {login}: check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
        "UnsupportedSaslMechanismError": "does not support KAFKA_SASL_MECHANISM {mechanism!r}: use one it offers",
        "IllegalSaslStateError": "does not use KAFKA_SECURITY_PROTOCOL {protocol!r} on this port: change one of them",
        "SSLCertVerificationError": "presents an untrusted certificate ({reason}): KAFKA_SSL_CAFILE must name the CA "
        "that signed it, and KAFKA_BOOTSTRAP_SERVERS a host it was issued for",
        "TopicAuthorizationFailedError": "does not allow {login} to write to topic {topic!r}: grant WRITE and DESCRIBE",
        "ClusterAuthorizationFailedError": "does not allow {login} to write: grant WRITE and DESCRIBE on topic "
        "{topic!r}, and before Kafka 3.0 also IDEMPOTENT_WRITE on the cluster",
        "InvalidTopicError": "does not accept the topic name {topic!r}: set another KAFKA_TOPIC",
    },
    InvalidEntryError: {
        "MessageSizeTooLargeError": "accepts only smaller records: set KAFKA_MAX_MESSAGE_BYTES to the topic's "
        "max.message.bytes",
        "RecordListTooLargeError": "accepts only smaller batches: set KAFKA_MAX_MESSAGE_BYTES to the topic's "
        "segment.bytes",
        "InvalidTimestampError": "rejects the timestamp of an entry: compare this machine's clock with the broker's",
        "UnsupportedForMessageFormatError": "stores topic {topic!r} in a format without headers: raise the topic's "
        "message.format.version to 0.11 or later",
    },
    DeliveryError: {
        "TimeoutError": "did not answer within {timeout:g} s",
        "ConnectionResetError": _CLOSED,
        "KafkaConnectionError": _CLOSED,
    },
}
"""The driver's exceptions, by class name: the error each becomes, and its sentence after "Kafka at ...".

All other exceptions may be temporary, so they become a DeliveryError.
"""
TOPIC_NOT_FOUND = ("TimeoutError", "UnknownTopicOrPartitionError")
"""Exceptions of a connected producer that cannot find its topic."""


def translate_error(error: BaseException, settings: KafkaSettings) -> DeliveryError:
    """Return the error to raise for an exception of the driver."""
    name, username = type(error).__name__, settings.kafka_sasl_username
    words = {
        "login": f"user {username!r} ({settings.kafka_sasl_mechanism})" if username else "this client",
        "mechanism": settings.kafka_sasl_mechanism,
        "protocol": settings.kafka_security_protocol,
        "topic": settings.kafka_topic,
        "timeout": settings.attempt_timeout,
        "reason": _reason(error, settings),
    }
    for kind, sentences in TRANSLATIONS.items():
        if name in sentences:
            return kind(f"{_kafka(settings)} {sentences[name].format_map(words)}")
    return DeliveryError(f"{_kafka(settings)} failed ({words['protocol']}): {words['reason']}")


def topic_not_found(settings: KafkaSettings, *, brokers: Iterable[str]) -> DeliveryError:
    """Return the error for a topic that was not found in time; `brokers` are the addresses the cluster advertises."""
    return DeliveryError(
        f"{_kafka(settings)} did not show topic {settings.kafka_topic!r} within {settings.attempt_timeout:g} s: create "
        "it if the cluster does not, and check that the brokers it advertises can be reached from here "
        f"({', '.join(brokers) or 'none'})"
    )


def _reason(error: BaseException, settings: KafkaSettings) -> str:
    """Return the driver's text; for an untrusted certificate, with what keeps the system's CAs from being read."""
    if not (untrusted := getattr(error, "verify_message", "")):
        return describe_error(error)
    problem = None if settings.kafka_ssl_cafile else unusable_tls_variable()
    return f"{untrusted}; {problem}" if problem else untrusted


def _kafka(settings: KafkaSettings) -> str:
    return f"Kafka at {', '.join(settings.kafka_bootstrap_servers)}"
