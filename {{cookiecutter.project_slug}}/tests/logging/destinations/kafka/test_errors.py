"""An exception of aiokafka becomes one error of the logging stack, with one sentence."""

from __future__ import annotations

import builtins
import ssl

import pytest
from aiokafka import errors

from {{cookiecutter.project_slug}}.logging.destinations.kafka.errors import (
    TOPIC_NOT_FOUND,
    TRANSLATIONS,
    topic_not_found,
    translate_error,
)
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, InvalidEntryError

from .kafka_helpers import make_settings

SETTINGS = make_settings(bootstrap_servers=["a:1"], topic="logs")


def class_named(name: str) -> type[Exception]:
    """Return an exception class of aiokafka, ssl or Python."""
    found = [getattr(module, name) for module in (errors, ssl, builtins) if hasattr(module, name)]
    assert issubclass(found[0], Exception)
    kind: type[Exception] = found[0]
    return kind


@pytest.mark.parametrize("name", [*(name for names in TRANSLATIONS.values() for name in names), *TOPIC_NOT_FOUND])
def test_each_exception_in_the_table_exists(name: str) -> None:
    """An exception that the driver has renamed would be retried forever."""
    assert class_named(name).__name__ == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SaslAuthenticationFailed", AccessError),
        ("UnsupportedSaslMechanismError", AccessError),
        ("IllegalSaslStateError", AccessError),
        ("SSLCertVerificationError", AccessError),
        ("TopicAuthorizationFailedError", AccessError),
        ("ClusterAuthorizationFailedError", AccessError),
        ("InvalidTopicError", AccessError),
        ("MessageSizeTooLargeError", InvalidEntryError),
        ("RecordListTooLargeError", InvalidEntryError),
        ("InvalidTimestampError", InvalidEntryError),
        ("UnsupportedForMessageFormatError", InvalidEntryError),
        ("BrokerNotAvailableError", DeliveryError),
        ("KafkaConnectionError", DeliveryError),
        ("KafkaTimeoutError", DeliveryError),
        ("LeaderNotAvailableError", DeliveryError),
        ("NodeNotReadyError", DeliveryError),
        ("NotEnoughReplicasAfterAppendError", DeliveryError),
        ("NotEnoughReplicasError", DeliveryError),
        ("NotLeaderForPartitionError", DeliveryError),
        ("OutOfOrderSequenceNumber", DeliveryError),
        ("RequestTimedOutError", DeliveryError),
        ("UnknownError", DeliveryError),
        ("UnknownTopicOrPartitionError", DeliveryError),
        ("ConnectionRefusedError", DeliveryError),
        ("ConnectionResetError", DeliveryError),
        ("OSError", DeliveryError),
        ("TimeoutError", DeliveryError),
    ],
)
def test_an_exception_becomes_one_kind_of_error(name: str, kind: type[DeliveryError]) -> None:
    """No access, an invalid entry, or a temporary failure; one short sentence names the brokers."""
    translation = translate_error(class_named(name)(), SETTINGS)
    assert type(translation) is kind
    assert str(translation).startswith("Kafka at a:1 ")
    assert "{" not in str(translation)
    assert "\n" not in str(translation)


def test_the_sentence_names_the_user() -> None:
    """Without one, it is "this client"."""
    error = errors.TopicAuthorizationFailedError()
    assert "this client" in str(translate_error(error, SETTINGS))
    settings = make_settings(security_protocol="SASL_SSL", sasl_username="me")
    assert "user 'me' (PLAIN)" in str(translate_error(error, settings))


def test_a_missing_topic_is_reported_with_the_advertised_brokers() -> None:
    """Addresses that cannot be reached from here are the usual cause."""
    assert str(topic_not_found(SETTINGS, brokers=["kafka-1:9092", "kafka-2:9092"])) == (
        "Kafka at a:1 did not show topic 'logs' within 4 s: create it if the cluster does not, and check that the "
        "brokers it advertises can be reached from here (kafka-1:9092, kafka-2:9092)"
    )
    assert str(topic_not_found(SETTINGS, brokers=[])).endswith("(none)")
