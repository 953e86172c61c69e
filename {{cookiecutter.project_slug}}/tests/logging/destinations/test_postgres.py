"""What is particular to PostgreSQL; what all destinations have in common is in test_contract.py."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import ssl
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import SecretStr
from testkit import make_entry, require_backend

from {{cookiecutter.project_slug}}.logging.destinations.base import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination, PostgresSettings
from {{cookiecutter.project_slug}}.logging.destinations.postgres_client import Server
from {{cookiecutter.project_slug}}.logging.destinations.postgres_rows import row_of
from {{cookiecutter.project_slug}}.logging.destinations.postgres_table import EXPIRE_CHUNK
from {{cookiecutter.project_slug}}.logging.errors import (
    DeliveryError,
    RefusedError,
    RejectedError,
    SettingError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DSN = os.environ.get("TEST_POSTGRES_DSN", "postgresql://postgres:postgres@localhost:5432/postgres")
SECRET = "s3cret"
PATIENCE = 15.0

CREATE_IN_A_PROCESS = """
import asyncio, sys
from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination

async def main():
    destination = PostgresDestination(sys.argv[1], table=sys.argv[2])
    sys.stdin.readline()
    await destination.open()
    await destination.close()

print("ready", flush=True)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what libpq reads from the environment out of the tests."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def admin() -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Connect to the server as who may do everything."""
    try:
        connection = await asyncpg.connect(DSN, timeout=PATIENCE)
    except (OSError, asyncpg.PostgresError) as error:
        pytest.fail(f"PostgreSQL does not answer ({error}): run `docker compose up -d`, or set TEST_POSTGRES_DSN.")
    yield connection
    await connection.close()


@pytest.fixture
async def table(admin: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[str]:
    """Return the name of a table that is not there, and drop it afterwards."""
    name = f"Logs_{secrets.token_hex(6)}"
    yield name
    await admin.execute(f'DROP TABLE IF EXISTS "{name}"')


@pytest.fixture
async def make(table: str) -> AsyncIterator[Callable[..., PostgresDestination]]:
    """Return what makes destinations on the table, and close them afterwards."""
    made = list[PostgresDestination]()

    def build(dsn: str = DSN, **settings: Any) -> PostgresDestination:
        made.append(PostgresDestination(dsn, **{"table": table, **settings}))
        return made[-1]

    yield build
    for destination in made:
        await destination.close()


def make_destination(unique: str) -> PostgresDestination:
    """Return an unopened destination with a table of its own, for the contract suite."""
    address = urlsplit(DSN)
    sentence = "PostgreSQL does not answer: run `docker compose up -d`, or set TEST_POSTGRES_DSN."
    require_backend(address.hostname or "localhost", address.port or 5432, sentence)
    return PostgresDestination(DSN, table=f"contract_{unique}")


async def stored(admin: asyncpg.Connection[asyncpg.Record], table: str) -> int:
    """Count the rows of a table."""
    return int(await admin.fetchval(f'SELECT count(*) FROM "{table}"'))


def with_option(option: str) -> str:
    """Return the DSN with one more option."""
    return f"{DSN}{'&' if '?' in DSN else '?'}{option}"


def with_user(user: str, password: str) -> str:
    """Return the DSN with another user and password."""
    parts = urlsplit(DSN)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


def entry_with(message: str, **values: Any) -> Any:
    """Return an entry that none of the others resembles."""
    return make_entry(message, correlation_id=secrets.token_hex(8), **values)


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
        with pytest.raises(RefusedError, match=rf"^PostgreSQL at 127\.0\.0\.1:{port} offers no TLS;.*sslmode=disable"):
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


@pytest.mark.integration
async def test_columns_bear_the_names_and_types_of_the_fields(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """What SQL on the table relies on."""
    await make().open()
    columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1"
    rows = await admin.fetch(f"{columns} ORDER BY ordinal_position", table)
    kinds = {row["column_name"]: row["data_type"] for row in rows}
    assert tuple(kinds) == FIELD_NAMES
    special = {name: kind for name, kind in kinds.items() if kind != "text"}
    assert special == {
        "timestamp": "timestamp with time zone",
        "duration_ms": "double precision",
        "line": "bigint",
        "process_id": "bigint",
        "input_args": "jsonb",
        "extra_data": "jsonb",
    }


@pytest.mark.integration
async def test_entries_come_back_as_they_were(make: Callable[..., PostgresDestination]) -> None:
    """Times as aware UTC, objects as objects, the ends of time included."""
    entries = [
        entry_with("full", duration_ms=1.5, line=3, process_id=2**40, input_args={"a": [1, "é", None]}, extra_data={}),
        entry_with("late", timestamp=datetime.max.replace(tzinfo=UTC)),
        entry_with("early", timestamp=datetime.min.replace(tzinfo=UTC)),
    ]
    destination = make()
    await destination.write_batch(entries)
    assert await destination.query() == [entries[1], entries[0], entries[2]]


@pytest.mark.integration
async def test_concurrent_first_writes_share_one_pool(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Eight first writes at once do not make eight pools."""
    name = f"test-{table}"
    destination = make(with_option(f"application_name={name}"))
    await asyncio.gather(*(destination.write(entry_with(str(number))) for number in range(8)))
    connections = await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name)
    assert connections <= 2
    assert await stored(admin, table) == 8


@pytest.mark.integration
async def test_processes_make_the_table_at_once(admin: asyncpg.Connection[asyncpg.Record], table: str) -> None:
    """CREATE TABLE IF NOT EXISTS alone would fail in one of them."""
    command = (sys.executable, "-c", CREATE_IN_A_PROCESS, DSN, table)
    processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ends = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [process.returncode for process in processes] == [0, 0], ends
    assert await stored(admin, table) == 0


@pytest.mark.integration
async def test_destinations_make_schema_and_tables_at_once(admin: asyncpg.Connection[asyncpg.Record]) -> None:
    """Also where they share no more than the schema."""
    schema = f"audit_{secrets.token_hex(4)}"
    destinations = [PostgresDestination(DSN, table=f"{schema}.{name}") for name in ("logs", "Logs") for _ in range(6)]
    try:
        await asyncio.gather(*(destination.write(entry_with("x")) for destination in destinations))
        assert len(await destinations[0].query()) == 6
        assert len(await destinations[-1].query()) == 6
    finally:
        await asyncio.gather(*(destination.close() for destination in destinations))
        await admin.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.mark.integration
async def test_a_name_of_full_length_works(
    admin: asyncpg.Connection[asyncpg.Record], make: Callable[..., PostgresDestination]
) -> None:
    """Names of indexes are found for it by the server."""
    name = secrets.token_hex(32).replace("0", "x")[:63]
    name = f"t{name[1:]}"
    destination = make(table=name)
    await destination.write(entry_with("x"))
    assert await stored(admin, name) == 1
    await admin.execute(f'DROP TABLE "{name}"')


@pytest.mark.integration
async def test_a_batch_that_is_there_in_part_is_completed(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Neither doubled nor refused, and one entry twice in a batch counts once."""
    entries = [entry_with(str(number)) for number in range(50)]
    destination = make()
    await destination.write_batch(entries[:20])
    await destination.write_batch([*entries[10:], entries[-1]])
    assert await stored(admin, table) == 50


@pytest.mark.integration
async def test_a_batch_whose_outcome_is_unknown_is_not_doubled(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """A write that was cancelled while it waited for a lock leaves no statement behind on the server."""
    entries = [entry_with(str(number)) for number in range(500)]
    destination = make(with_option(f"application_name=test-{table}"))
    await destination.write_batch(entries[:100])
    async with admin.transaction():
        await admin.execute(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE')
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(destination.write_batch(entries), 0.3)
        busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'"
        assert await admin.fetchval(busy, f"test-{table}") == 0
    await destination.write_batch(entries)
    assert await stored(admin, table) == 500


@pytest.mark.integration
async def test_delivery_resumes_when_the_connection_was_cut(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """By the same destination, without anything doubled."""
    entries = [entry_with(str(number)) for number in range(300)]
    name = f"test-{table}"
    destination = make(with_option(f"application_name={name}"))
    for start in range(0, 300, 100):
        await destination.write_batch(entries[start : start + 50])
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", name)
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(Exception):
                    await destination.write_batch(entries[start : start + 100])
                    break
    assert await stored(admin, table) == 300


@pytest.mark.integration
async def test_a_table_that_was_dropped_is_made_again(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Within the same write; a query finds nothing and makes nothing."""
    destination = make()
    assert await destination.query() == []
    await destination.write(entry_with("before"))
    await admin.execute(f'DROP TABLE "{table}"')
    assert await destination.query() == []
    await destination.write(entry_with("after"))
    assert [entry.message for entry in await destination.query()] == ["after"]


@pytest.mark.integration
async def test_values_that_postgres_refuses_are_made_fit(make: Callable[..., PostgresDestination]) -> None:
    """NUL, lone surrogates, NaN and other types than text in one batch with an ordinary entry."""
    odd = {"nul": "a\0b", "nan": float("nan"), "surrogate": "\ud800", "huge": 2**70, "bytes": b"\0\xff"}
    entries = [
        entry_with("plain"),
        entry_with("a\0b", input_args=odd, extra_data={"\0": ["\0"]}),
        entry_with("\ud800", tool_name=7),
    ]
    destination = make()
    await destination.write_batch(entries)
    found = {entry.entry_id: entry for entry in await destination.query()}
    assert found[entries[0].entry_id] == entries[0]
    assert found[entries[1].entry_id].message == "a\\x00b"
    assert found[entries[2].entry_id].message == "\\ud800"
    assert found[entries[2].entry_id].tool_name == "7"
    assert [entry.entry_id for entry in await destination.query(text="a\0B")] == [entries[1].entry_id]


@pytest.mark.integration
@pytest.mark.parametrize(
    "values", [{"line": 2**70}, {"timestamp": "yesterday"}, {"entry_id": None}, {"entry_id": secrets.token_hex(9_000)}]
)
async def test_what_cannot_be_made_fit_is_rejected(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    make: Callable[..., PostgresDestination],
    values: dict[str, Any],
) -> None:
    """Nothing of the batch is stored, its halves can be tried apart, and the connection stays usable."""
    entries = [entry_with("good"), entry_with("poison", **values)]
    destination = make()
    with pytest.raises(RejectedError, match=r"^PostgreSQL cannot store a value: "):
        await destination.write_batch(entries)
    assert await stored(admin, table) == 0
    await destination.write_batch(entries[:1])
    assert await stored(admin, table) == 1


@pytest.mark.integration
async def test_what_clients_name_is_never_too_long_for_an_index(make: Callable[..., PostgresDestination]) -> None:
    """Tools and correlation ids of 20,000 characters are stored and found by their exact name."""
    long, other = secrets.token_hex(10_000), "x" * 64
    entry = make_entry("long", tool_name=other + long, correlation_id=long)
    destination = make()
    await destination.write_batch([entry, make_entry("short", tool_name=other)])
    assert await destination.query(tool_name=other + long, correlation_id=long) == [entry]
    assert await destination.query(tool_name=other + long + "x") == []


@pytest.mark.integration
@pytest.mark.parametrize("text", ["100%", "a_b", "it's", 'say "hi"', "back\\slash", "\\%", "$1", "ÄÖ", "{0}", "日本"])
async def test_no_character_of_a_text_filter_is_special(make: Callable[..., PostgresDestination], text: str) -> None:
    """Exactly the entry that holds it is found, whatever its case; beyond ASCII that is up to the locale."""
    decoys = [entry_with(word) for word in ("100x", "axb", "its", "back/slash", "say hi", "\\x", "$2", "AO", "{1}")]
    entry = entry_with(f"before {text} after")
    destination = make()
    await destination.write_batch([*decoys, entry])
    assert await destination.query(text=text.swapcase() if text.isascii() else text) == [entry]


@pytest.mark.integration
async def test_entries_past_retention_are_deleted_in_chunks(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """A chunk with each write until none is left, then not again for an hour."""
    old = datetime.now(UTC) - timedelta(days=8)
    await make().write_batch([entry_with("old", timestamp=old) for _ in range(EXPIRE_CHUNK + 10)])
    destination = make(retention_days=7)
    for left in (10, 0):
        await destination.write(entry_with("new"))
        assert await admin.fetchval(f'SELECT count(*) FROM "{table}" WHERE timestamp = $1', old) == left
    await destination.write(entry_with("late", timestamp=old))
    assert await admin.fetchval(f'SELECT count(*) FROM "{table}" WHERE timestamp = $1', old) == 1


@pytest.mark.integration
async def test_a_schema_of_a_later_version_is_left_alone(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """The sentence names the table and the setting."""
    await admin.execute(f'CREATE TABLE "{table}" (x int)')
    await admin.execute(f"COMMENT ON TABLE \"{table}\" IS 'Log entries, schema version 2'")
    with pytest.raises(RefusedError, match=rf'^The table "{table}" has schema version 2, .* POSTGRES_TABLE$'):
        await make().write(entry_with("x"))


@pytest.mark.integration
async def test_a_table_of_another_kind_is_named(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Entries wait: whoever owns the table can mend it."""
    await admin.execute(f'CREATE TABLE "{table}" (x int)')
    with pytest.raises(DeliveryError, match=r"^PostgreSQL at .*: column .* does not exist$") as caught:
        await make().write(entry_with("x"))
    assert type(caught.value) is DeliveryError


@pytest.mark.integration
async def test_a_wrong_password_is_one_clear_sentence(make: Callable[..., PostgresDestination]) -> None:
    """It names the server, the setting and the user, and no password."""
    user = str(urlsplit(DSN).username)
    with pytest.raises(RefusedError, match=rf"^PostgreSQL at .* refuses the login of POSTGRES_DSN: .*{user}") as caught:
        await make(with_user(user, SECRET)).write(entry_with("x"))
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.integration
async def test_a_role_that_may_only_insert_delivers(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Neither CREATE, SELECT nor DELETE is needed where the table stands; without INSERT it is refused."""
    role, password = f"role_{secrets.token_hex(4)}", secrets.token_hex(8)
    await make().open()
    await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    try:
        destination = make(with_user(role, password), retention_days=1)
        with pytest.raises(RefusedError, match=r"does not let the role of POSTGRES_DSN do this: permission denied"):
            await destination.write(entry_with("x"))
        await admin.execute(f'GRANT INSERT ON "{table}" TO {role}')
        entries = [entry_with(str(number)) for number in range(5)]
        for _ in range(2):
            await destination.write_batch(entries)
        assert await stored(admin, table) == 5
        with pytest.raises(RefusedError, match=r"permission denied for schema"):
            await make(with_user(role, password), table=f"pg_catalog.{table}").open()
    finally:
        await admin.execute(f"DROP OWNED BY {role}")
        await admin.execute(f"DROP ROLE {role}")
