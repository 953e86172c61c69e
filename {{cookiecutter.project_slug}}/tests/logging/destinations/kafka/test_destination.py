"""What is particular to the Kafka destination without a broker: its settings, and that it is written only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaDestination, KafkaSettings
from {{cookiecutter.project_slug}}.logging.errors import MissingDriverError, SettingError

from .kafka_helpers import SERVERS, require_kafka

if TYPE_CHECKING:
    from pathlib import Path


def make_destination(unique: str) -> KafkaDestination:
    """Return an unopened destination with a topic of its own, for the contract suite."""
    require_kafka()
    return KafkaDestination(SERVERS, topic=f"contract-{unique}")


@pytest.mark.parametrize(
    "servers", ["", "localhost", "kafka://localhost:9092", "localhost:0", "localhost:65536", "a b:1"]
)
def test_bootstrap_servers_are_hosts_with_ports(servers: str) -> None:
    """Anything else is named in one sentence."""
    with pytest.raises(SettingError, match="KAFKA_BOOTSTRAP_SERVERS"):
        KafkaDestination([servers] if servers else [])


def test_a_password_among_the_bootstrap_servers_is_not_repeated() -> None:
    """Somebody who writes a URL with credentials does not find them in the log."""
    with pytest.raises(SettingError) as caught:
        KafkaDestination(["kafka://me:hunter2@broker:9092"])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("topic", ["", ".", "..", "a/b", "with space", 'x"; drop', "t\n", "ö", "t" * 250])
def test_a_topic_follows_kafkas_own_rule(topic: str) -> None:
    """Kafka would refuse it later and less clearly."""
    with pytest.raises(SettingError, match="KAFKA_TOPIC"):
        KafkaDestination(SERVERS, topic=topic)


@pytest.mark.parametrize("topic", ["mcp-logs", "Audit.Logs_2", "...", "t" * 249])
def test_every_name_that_kafka_takes_is_a_topic(topic: str) -> None:
    """No narrower rule than Kafka's."""
    assert KafkaDestination(SERVERS, topic=topic).topic == topic


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"acks": "0"}, "KAFKA_ACKS is '0', which would hide every error"),
        ({"acks": "2"}, "KAFKA_ACKS is '2'"),
        ({"compression_type": "brotli"}, "KAFKA_COMPRESSION_TYPE is 'brotli'"),
        ({"security_protocol": "SASL_SSL"}, "KAFKA_SASL_USERNAME is empty"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "me"}, "KAFKA_SASL_PASSWORD is empty"),
        ({"sasl_username": "me"}, "KAFKA_SECURITY_PROTOCOL is 'PLAINTEXT', which sends no user name"),
        ({"security_protocol": "SSL", "ssl_cafile": "none.pem"}, "KAFKA_SSL_CAFILE is 'none.pem'"),
        ({"security_protocol": "SSL", "ssl_certfile": "none.pem"}, "KAFKA_SSL_CERTFILE is 'none.pem"),
    ],
)
def test_a_setting_that_cannot_work_is_named(values: dict[str, str], said: str) -> None:
    """One sentence at start-up, before anything is sent."""
    with pytest.raises(SettingError) as caught:
        KafkaDestination(SERVERS, **values)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_a_ca_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    """The file is read at start-up."""
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate")
    with pytest.raises(SettingError, match="KAFKA_SSL_CAFILE"):
        KafkaDestination(SERVERS, security_protocol="SSL", ssl_cafile=str(file))


def test_a_codec_without_its_package_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only gzip comes with Python."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingDriverError, match="pip install cramjam"):
        KafkaDestination(SERVERS, compression_type="zstd")


def test_settings_are_read_in_any_case_and_from_numbers() -> None:
    """YAML gives a number for acks, and people write protocols in lower case."""
    settings = KafkaSettings.model_validate(
        {"kafka_acks": 1, "kafka_security_protocol": "ssl", "kafka_sasl_mechanism": "scram-sha-256"}
    )
    assert (settings.kafka_acks, settings.kafka_security_protocol) == ("1", "SSL")
    assert KafkaDestination.from_config(settings).topic == "mcp-logs"


def test_the_password_is_nowhere_to_be_read() -> None:
    """Neither in the settings nor in the destination's parts."""
    settings = KafkaSettings.model_validate(
        {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_username": "me", "kafka_sasl_password": "hunter2"}
    )
    destination = KafkaDestination.from_config(settings)
    assert "hunter2" not in repr((settings, destination, vars(destination), vars(destination._connection)))


async def test_it_is_written_only() -> None:
    """Reading is what the topic's consumers do."""
    with pytest.raises(NotImplementedError, match="kafka is write-only"):
        await KafkaDestination(SERVERS).query()


async def test_closing_twice_or_unopened_is_harmless() -> None:
    """Nothing was connected."""
    destination = KafkaDestination(SERVERS)
    await destination.close()
    await destination.close()
