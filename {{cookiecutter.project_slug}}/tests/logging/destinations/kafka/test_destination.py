"""The Kafka destination without a broker: how it is built and closed."""

from __future__ import annotations

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaDestination
from {{cookiecutter.project_slug}}.logging.errors import MissingDriverError, SettingError

from .kafka_helpers import make_settings, require_kafka


def make_destination(unique: str) -> KafkaDestination:
    """Return an unopened destination with its own topic, for the contract suite."""
    require_kafka()
    return KafkaDestination(make_settings(topic=f"contract-{unique}"))


def test_invalid_settings_are_reported_when_it_is_built() -> None:
    """Not only when the first entry is sent."""
    with pytest.raises(SettingError, match="KAFKA_TOPIC"):
        KafkaDestination.from_config(make_settings(topic="a/b"))


def test_a_missing_driver_is_reported_when_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error contains the install command."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingDriverError, match=r"pip install .*aiokafka"):
        KafkaDestination.from_config(make_settings())


def test_the_password_is_not_shown_by_any_part() -> None:
    """The `repr` of the settings, the destination and its connection hides it."""
    settings = make_settings(security_protocol="SASL_PLAINTEXT", sasl_username="me", sasl_password="hunter2")
    destination = KafkaDestination.from_config(settings)
    assert "hunter2" not in repr((settings, destination, vars(destination), vars(destination._connection)))


async def test_it_is_write_only() -> None:
    """Consumers read the topic, not this project."""
    with pytest.raises(NotImplementedError, match="kafka is write-only"):
        await KafkaDestination(make_settings()).query()


async def test_it_can_be_closed_twice_and_unopened() -> None:
    """There is nothing to close then."""
    destination = KafkaDestination(make_settings())
    await destination.close()
    await destination.close()
