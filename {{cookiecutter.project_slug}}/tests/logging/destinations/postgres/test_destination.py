"""What is particular to the PostgreSQL destination without a server: its settings, and how it gives up."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest
from helpers import PATIENCE, make_entry, require_backend
from pydantic import SecretStr

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination, PostgresSettings
from {{cookiecutter.project_slug}}.logging.destinations.postgres.client import Server, explained
from {{cookiecutter.project_slug}}.logging.destinations.postgres.encoding import row_of
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, SettingError

from . import postgres_helpers
from .postgres_helpers import DSN, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

no_variables = postgres_helpers.no_variables


SERVER = Server.of("postgresql://db:1")


def make_destination(unique: str) -> PostgresDestination:
    """Return an unopened destination with a table of its own, for the contract suite."""
    address = urlsplit(DSN)
    host, port = address.hostname or "localhost", address.port or 5432
    sentence = f"PostgreSQL does not answer at {host}:{port}: run `docker compose up -d`, or set TEST_POSTGRES_DSN."
    require_backend(host, port, sentence)
    return PostgresDestination(DSN, table=f"contract_{unique}")


def test_rows_hold_the_fields_in_their_order() -> None:
    """The order is written down twice, for speed."""
    entry = make_entry(**{name: name for name in FIELD_NAMES if name not in ("message", "timestamp")})
    entry.input_args = entry.extra_data = None
    given = [getattr(entry, name) for name in FIELD_NAMES]
    assert list(row_of(entry)) == given


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
def test_a_malformed_dsn_is_refused_without_its_password(dsn: str) -> None:
    """The sentence names the setting and what is valid."""
    with pytest.raises(SettingError, match=r"^POSTGRES_DSN .*valid") as caught:
        PostgresDestination(dsn)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("name", ["", "a.b.c", "a.", ".a", "1a", "a b", "a\n", "ü", 'x"; drop table y; --', "x" * 64])
def test_a_malformed_table_is_refused(name: str) -> None:
    """The sentence names the setting, its value and what is valid."""
    with pytest.raises(SettingError, match=r"^POSTGRES_TABLE is ") as caught:
        PostgresDestination(table=name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(("name", "quoted"), [("Logs", '"Logs"'), ("audit.order$1", '"audit"."order$1"')])
def test_a_table_is_quoted(name: str, quoted: str) -> None:
    """Upper case and reserved words stay what they are."""
    assert str(PostgresDestination(table=name).table) == quoted


def test_a_root_certificate_that_is_no_file_is_refused() -> None:
    """The sentence names the setting."""
    with pytest.raises(SettingError, match=r"^POSTGRES_SSL_ROOT_CERT is '/nowhere/ca\.pem', which is no file"):
        PostgresDestination(ssl_root_cert="/nowhere/ca.pem")


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
def test_tls_is_demanded_and_checked_where_the_host_is_another(host: str, mode: str) -> None:
    """Only on this machine may the driver's own default decide, which takes plain text as well."""
    assert Server.of(f"postgresql://user@{host}/logs").ssl_mode == mode


@pytest.mark.parametrize(("mode", "names_checked"), [("require", True), ("verify-ca", False), ("verify-full", True)])
def test_whoever_asks_for_tls_gets_a_checked_certificate(mode: str, names_checked: bool) -> None:
    """The driver's own `require` takes any certificate."""
    context = Server.of(f"postgresql://localhost/logs?sslmode={mode}")._tls()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname == names_checked


def test_no_repr_shows_the_password() -> None:
    """Neither the settings nor the destination nor its parts."""
    dsn = f"postgresql://user:{SECRET}@localhost/logs"
    settings = PostgresSettings(postgres_dsn=SecretStr(dsn))
    destination = PostgresDestination.from_config(settings)
    for shown in (repr(settings), repr(destination), repr(destination.server), repr(vars(destination))):
        assert SECRET not in shown


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (asyncpg.InsufficientPrivilegeError, AccessError),
        (asyncpg.InvalidAuthorizationSpecificationError, AccessError),
        (asyncpg.InvalidPasswordError, AccessError),
        (asyncpg.ClientConfigurationError, AccessError),
        (asyncpg.AdminShutdownError, DeliveryError),
        (asyncpg.CannotConnectNowError, DeliveryError),
        (asyncpg.ConnectionDoesNotExistError, DeliveryError),
        (asyncpg.DeadlockDetectedError, DeliveryError),
        (asyncpg.DiskFullError, DeliveryError),
        (asyncpg.InterfaceError, DeliveryError),
        (asyncpg.InternalClientError, DeliveryError),
        (asyncpg.ReadOnlySQLTransactionError, DeliveryError),
        (asyncpg.TooManyConnectionsError, DeliveryError),
        (ConnectionRefusedError, DeliveryError),
        (OSError, DeliveryError),
        (TimeoutError, DeliveryError),
    ],
)
def test_an_exception_means_one_thing(raised: Callable[[str], Exception], kind: type[DeliveryError]) -> None:
    """Refused or passing trouble, in one sentence."""
    error = raised("went wrong")
    with pytest.raises(DeliveryError, match=r"^(PostgreSQL at db:1|POSTGRES_DSN).*wrong$") as caught, explained(SERVER):
        raise error
    assert type(caught.value) is kind


async def test_closing_what_was_never_opened_is_fine() -> None:
    """Once and twice."""
    destination = PostgresDestination()
    await destination.close()
    await destination.close()


async def test_a_server_without_tls_is_refused_where_tls_is_asked_for() -> None:
    """One sentence says what to do on a network that is trusted."""

    async def decline(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"N")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(decline, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        destination = PostgresDestination(f"postgresql://user:{SECRET}@127.0.0.1:{port}/logs?sslmode=require")
        with pytest.raises(AccessError, match=rf"^PostgreSQL at 127\.0\.0\.1:{port} offers no TLS;.*sslmode=disable"):
            await destination.open()
        await destination.close()


async def test_a_server_that_never_answers_holds_up_nobody_who_gives_up() -> None:
    """An attempt can be cancelled, and closing is quick."""
    release = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1") as server:
        destination = PostgresDestination(f"postgresql://u@127.0.0.1:{server.sockets[0].getsockname()[1]}/logs")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(destination.write(make_entry()), 0.2)
        await asyncio.wait_for(destination.close(), PATIENCE)
        release.set()


async def test_an_unreachable_server_is_passing_trouble() -> None:
    """The sentence says which server."""
    destination = PostgresDestination("postgresql://user@127.0.0.1:1/logs")
    with pytest.raises(DeliveryError, match=r"^PostgreSQL at 127\.0\.0\.1:1 cannot be reached: ") as caught:
        await destination.write(make_entry())
    assert type(caught.value) is DeliveryError
    await destination.close()
