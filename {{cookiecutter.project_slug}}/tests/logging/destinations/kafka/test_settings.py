"""The settings of the Kafka destination are checked when it is built, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaSettings
from {{cookiecutter.project_slug}}.logging.destinations.kafka.settings import check_settings
from {{cookiecutter.project_slug}}.logging.errors import MissingDriverError, SettingError

from .kafka_helpers import make_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_the_defaults_are_valid() -> None:
    """A local broker needs no settings."""
    check_settings(KafkaSettings())


@pytest.mark.parametrize(
    "servers",
    [[], ["localhost"], ["kafka://localhost:9092"], ["localhost:0"], ["localhost:65536"], ["a b:1"], ["a:1", "b"]],
)
def test_bootstrap_servers_must_be_hosts_with_ports(servers: list[str]) -> None:
    """The error names the setting."""
    with pytest.raises(SettingError, match="KAFKA_BOOTSTRAP_SERVERS"):
        check_settings(make_settings(bootstrap_servers=servers))


def test_bootstrap_servers_may_be_ipv6_addresses() -> None:
    """In brackets, as in a URL."""
    check_settings(make_settings(bootstrap_servers=["[::1]:9092", "broker-1.example.org:65535"]))


def test_a_password_in_a_bootstrap_server_is_not_shown() -> None:
    """A URL with credentials is invalid, and its password stays out of the error."""
    with pytest.raises(SettingError, match="KAFKA_BOOTSTRAP_SERVERS") as caught:
        check_settings(make_settings(bootstrap_servers=["kafka://me:hunter2@broker:9092"]))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("topic", ["", ".", "..", "a/b", "with space", 'x"; drop', "t\n", "ö", "t" * 250])
def test_a_topic_name_that_kafka_rejects_is_invalid(topic: str) -> None:
    """Kafka would reject it later, with a less helpful error."""
    with pytest.raises(SettingError, match="KAFKA_TOPIC"):
        check_settings(make_settings(topic=topic))


@pytest.mark.parametrize("topic", ["mcp-logs", "Audit.Logs_2", "...", "t" * 249])
def test_a_topic_name_that_kafka_accepts_is_valid(topic: str) -> None:
    """Our rule is not narrower than Kafka's."""
    check_settings(make_settings(topic=topic))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("acks", "0"),
        ("acks", "2"),
        ("compression_type", "brotli"),
        ("security_protocol", "TLS"),
        ("sasl_mechanism", "GSSAPI"),
        ("max_message_bytes", 100),
    ],
)
def test_a_value_that_is_not_a_choice_is_invalid(setting: str, value: object) -> None:
    """`0` for acks is not a choice either: it would hide every error of the broker."""
    with pytest.raises(ValidationError, match=f"kafka_{setting}"):
        make_settings(**{setting: value})


def test_values_are_accepted_in_any_case_and_as_numbers() -> None:
    """YAML gives a number for acks, and people write protocols in lower case."""
    settings = make_settings(acks=1, compression_type="GZIP", security_protocol="ssl", sasl_mechanism="scram-sha-256")
    assert (settings.kafka_acks, settings.kafka_compression_type) == ("1", "gzip")
    assert (settings.kafka_security_protocol, settings.kafka_sasl_mechanism) == ("SSL", "SCRAM-SHA-256")
    check_settings(settings)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"security_protocol": "SASL_SSL"}, "KAFKA_SASL_USERNAME is empty, but"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "me"}, "KAFKA_SASL_PASSWORD is empty, but"),
        ({"sasl_username": "me"}, "KAFKA_SECURITY_PROTOCOL is 'PLAINTEXT', which ignores KAFKA_SASL_USERNAME"),
        ({"security_protocol": "SSL", "ssl_cafile": "none.pem"}, "KAFKA_SSL_CAFILE is 'none.pem'"),
        ({"security_protocol": "SSL", "ssl_certfile": "none.pem"}, "KAFKA_SSL_CERTFILE is 'none.pem"),
    ],
)
def test_values_that_do_not_work_together_are_reported(values: dict[str, object], message: str) -> None:
    """The error names the setting to change."""
    with pytest.raises(SettingError) as caught:
        check_settings(make_settings(**values))
    assert message in str(caught.value)


def test_a_ca_file_without_a_certificate_is_reported(tmp_path: Path) -> None:
    """The content of the file is checked, not only its existence."""
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate")
    with pytest.raises(SettingError, match="KAFKA_SSL_CAFILE"):
        check_settings(make_settings(security_protocol="SSL", ssl_cafile=str(file)))


def test_a_codec_without_its_package_is_reported_with_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all codecs, Python itself contains only gzip."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    check_settings(make_settings(compression_type="gzip"))
    with pytest.raises(MissingDriverError, match="pip install cramjam"):
        check_settings(make_settings(compression_type="zstd"))
