"""Values of the PostgreSQL settings: malformed ones are rejected, and TLS is verified by default."""

from __future__ import annotations

import os

import pytest
from pydantic import SecretStr

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination, PostgresSettings
from {{cookiecutter.project_slug}}.logging.destinations.postgres.client import PostgresClient
from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.redaction import Redactor

from . import postgres_helpers
from .postgres_helpers import SECRET, make_settings

no_libpq_variables = postgres_helpers.no_libpq_variables


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "localhost",
        f"mysql://user:{SECRET}@host/logs",
        f"host=host password={SECRET}",
        f"postgresql://user:a@{SECRET}@host/logs",
        f"postgresql://user:1/{SECRET}@host/logs",
        f"postgresql://user:1?{SECRET}=@host/logs",
        f"postgresql://user:1#{SECRET}@host/logs",
        f"postgresql://user:{SECRET}",
        f"postgresql://user:{SECRET}@host:port/logs",
        f"postgresql://user:{SECRET}@host:70000/logs",
        f"postgresql://user:{SECRET}@[::1/logs",
        f"postgresql://user:{SECRET}\N{DOUBLE-STRUCK CAPITAL C}\N{ACCOUNT OF}@host/logs",
        f"postgresql://host/logs?password={SECRET}&port=x",
        f"postgresql://user:{SECRET}@host/logs?sslmode=verify",
        f"postgresql://user:{SECRET}@host/logs?sslmode",
    ],
)
def test_a_malformed_dsn_is_rejected_without_showing_its_password(dsn: str) -> None:
    """The message names the setting and the valid form."""
    with pytest.raises(SettingError, match=r"^POSTGRES_DSN .*valid") as caught:
        PostgresDestination(make_settings(dsn))
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_valid_form_of_a_dsn_is_readable_in_the_log() -> None:
    """The redactor, which hides passwords in addresses, leaves the message as it is."""
    with pytest.raises(SettingError, match=r"valid is postgresql://USER@HOST:5432/DATABASE;") as caught:
        PostgresDestination(make_settings("localhost"))
    assert Redactor().text(str(caught.value)) == str(caught.value)


def test_a_dsn_without_a_user_needs_a_user_with_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container with an arbitrary user id, the driver would find no name to log in with."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7, raising=False)
    with pytest.raises(SettingError, match=r"^POSTGRES_DSN names no user"):
        PostgresDestination(make_settings("postgresql://localhost/logs"))
    monkeypatch.setenv("PGUSER", "logger")
    assert PostgresDestination(make_settings("postgresql://localhost/logs")).client.server == "PostgreSQL at localhost"


def test_the_default_table_has_the_same_name_as_everywhere() -> None:
    """Queries in the documentation work with every store that has tables."""
    assert str(PostgresDestination(make_settings()).table) == '"unified_logs"'


def test_a_root_certificate_that_does_not_exist_is_rejected() -> None:
    """The message names the setting and the path."""
    with pytest.raises(SettingError, match=r"^POSTGRES_SSL_ROOT_CERT is '/nowhere/ca\.pem', which is not a file"):
        PostgresDestination(make_settings(postgres_ssl_root_cert="/nowhere/ca.pem"))


@pytest.mark.parametrize(
    ("host", "mode"),
    [
        ("localhost:5433", "prefer"),
        ("127.0.0.2", "prefer"),
        ("[::1]:5432", "prefer"),
        ("%2Frun%2Fpostgresql", "prefer"),
        ("db.example.org", "verify-full"),
        ("10.0.0.7", "verify-full"),
        ("localhost,db.example.org:5433", "verify-full"),
    ],
)
def test_remote_servers_are_verified_by_default(host: str, mode: str) -> None:
    """Only local servers get the driver's default, which also allows plain text."""
    assert PostgresClient(make_settings(f"postgresql://user@{host}/logs")).ssl_mode == mode


@pytest.mark.parametrize(
    ("dsn", "variable", "wanted"),
    [
        ("postgresql://u@db1/logs", "", "any"),
        ("postgresql://u@db1,db2:5433/logs", "", "read-write"),
        ("postgresql://u@/logs?host=db1,db2", "", "read-write"),
        ("postgresql://u@db1,db2/logs?target_session_attrs=any", "primary", "any"),
        ("postgresql://u@db1,db2/logs", "primary", "primary"),
    ],
)
def test_of_several_hosts_one_that_accepts_writes_is_used(
    dsn: str, variable: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver's default is the first that answers, which after a failover may be a standby."""
    monkeypatch.setenv("PGTARGETSESSIONATTRS", variable)
    assert PostgresClient(make_settings(dsn)).wanted_session == wanted


def test_no_repr_shows_the_password() -> None:
    """Check the settings, the destination, and their attributes."""
    settings = PostgresSettings(postgres_dsn=SecretStr(f"postgresql://user:{SECRET}@localhost/logs"))
    destination = PostgresDestination.from_config(settings)
    for shown in (repr(settings), repr(destination), repr(destination.client), repr(vars(destination))):
        assert SECRET not in shown
