"""The environment variables of libpq: an invalid one is named, and one that has no effect is not looked at."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.destinations.postgres.client import PostgresClient
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError, SettingError

from . import postgres_helpers
from .postgres_helpers import make_settings

if TYPE_CHECKING:
    from pathlib import Path

no_libpq_variables = postgres_helpers.no_libpq_variables
URL = "postgresql://user@db/logs"


@pytest.mark.parametrize(
    ("variable", "value", "valid"),
    [
        ("PGPORT", "abc", "a port from 1 to 65535"),
        ("PGPORT", "99999", "a port from 1 to 65535"),
        ("PGTARGETSESSIONATTRS", "master", "any, primary, standby, prefer-standby, read-write, read-only"),
        ("PGSSLMINPROTOCOLVERSION", "1.2", "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
        ("PGSSLMAXPROTOCOLVERSION", "TLSv9", "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
        ("PGSSLNEGOTIATION", "late", "postgres, direct"),
        ("PGGSSLIB", "kerberos", "gssapi, sspi"),
        ("PGSSLCERT", "/nowhere/me.crt", "a PEM file"),
        ("PGSSLKEY", "/nowhere/me.key", "a PEM file"),
        ("PGSSLCRL", "/nowhere/list.crl", "a PEM file"),
    ],
)
def test_an_invalid_variable_is_named(variable: str, value: str, valid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has its value and the valid ones, instead of blaming POSTGRES_DSN or an errno."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError, match=rf"^The environment variable {variable} is '{value}'[,;] .*valid") as caught:
        PostgresDestination(make_settings(URL))
    assert str(caught.value).endswith(valid)


@pytest.mark.parametrize(
    ("url", "variable", "value"),
    [
        ("postgresql://user@db:5432/logs", "PGPORT", "abc"),
        (f"{URL}?port=5432", "PGPORT", "abc"),
        (f"{URL}?target_session_attrs=any", "PGTARGETSESSIONATTRS", "master"),
        (f"{URL}?sslmode=disable", "PGSSLCERT", "/nowhere/me.crt"),
        (f"{URL}?sslcert=/etc/me.crt", "PGSSLCERT", "/nowhere/me.crt"),
        (URL, "PGTARGETSESSIONATTRS", ""),
        (URL, "PGSSLMODE", ""),
        (URL, "PGSSLROOTCERT", ""),
        (URL, "PGSSLCERT", ""),
        (URL, "PGPORT", ""),
    ],
)
def test_a_variable_without_effect_is_not_checked(
    url: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """POSTGRES_DSN comes first, and an empty variable counts as unset, as in a compose file."""
    monkeypatch.setenv(variable, value)
    assert PostgresDestination(make_settings(url)).client.wanted_session == "any"


def test_an_invalid_option_of_the_dsn_is_named() -> None:
    """It is the same check."""
    with pytest.raises(SettingError, match=r"^ssl_min_protocol_version in POSTGRES_DSN is 'TLSv9'; valid are TLSv1, "):
        PostgresDestination(make_settings(f"{URL}?ssl_min_protocol_version=TLSv9"))


def test_the_versions_of_tls_are_limited_if_the_server_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """The destination's own TLS context honours the variables like the driver's."""
    monkeypatch.setenv("PGSSLMINPROTOCOLVERSION", "TLSv1.3")
    context = PostgresClient(make_settings(f"{URL}?sslmode=verify-full")).tls_context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize(("dsn", "warnings"), [("postgresql://user@", 1), ("postgresql://user:secret@", 0)])
async def test_a_missing_password_file_is_mentioned_if_it_is_needed(
    dsn: str, warnings: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The driver ignores it, and the server then says that the password is wrong."""
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    destination = PostgresDestination(make_settings(f"{dsn}127.0.0.1:1/logs"))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with pytest.raises(DeliveryError):
                await destination.open()
    await destination.close()
    sentence = (
        f"PostgreSQL at 127.0.0.1:1: The environment variable PGPASSFILE is '{tmp_path}/pgpass', which is not a file, "
        "so no password is read from it"
    )
    assert [record.getMessage() for record in caplog.records] == warnings * [sentence]
