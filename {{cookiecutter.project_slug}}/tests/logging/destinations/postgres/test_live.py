"""Deliver entries to a real PostgreSQL server: odd values, failures, permissions and queries."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from helpers import ARGUMENTS, PATIENCE, SEARCHES, make_entry

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, InvalidEntryError

from . import postgres_helpers
from .postgres_helpers import DSN, SECRET, count_rows, unique_entry, with_option, with_user

if TYPE_CHECKING:
    from collections.abc import Callable

no_libpq_variables = postgres_helpers.no_libpq_variables
admin, table, make, role = (
    postgres_helpers.admin,
    postgres_helpers.table,
    postgres_helpers.make,
    postgres_helpers.role,
)


@pytest.mark.integration
async def test_entries_are_read_back_unchanged(make: Callable[..., PostgresDestination]) -> None:
    """Times are aware and in UTC, including the first and last of Python; JSON objects stay objects."""
    entries = [
        unique_entry(
            "full", duration_ms=1.5, line=3, process_id=2**40, input_args={"a": [1, "é", None]}, extra_data={}
        ),
        unique_entry("late", timestamp=datetime.max.replace(tzinfo=UTC)),
        unique_entry("early", timestamp=datetime.min.replace(tzinfo=UTC)),
    ]
    destination = make()
    await destination.write_batch(entries)
    assert await destination.query() == [entries[1], entries[0], entries[2]]


@pytest.mark.integration
async def test_concurrent_first_writes_share_one_pool(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Eight concurrent writes open at most two connections."""
    name = f"test-{table}"
    destination = make(with_option(f"application_name={name}"))
    await asyncio.gather(*(destination.write(unique_entry(str(number))) for number in range(8)))
    connections = await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name)
    assert connections <= 2
    assert await count_rows(admin, table) == 8


@pytest.mark.integration
async def test_a_partly_stored_batch_is_completed(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Stored entries are skipped, as is an entry that the batch contains twice."""
    entries = [unique_entry(str(number)) for number in range(50)]
    destination = make()
    await destination.write_batch(entries[:20])
    await destination.write_batch([*entries[10:], entries[-1]])
    assert await count_rows(admin, table) == 50


@pytest.mark.integration
async def test_a_cancelled_write_is_repeated_without_duplicates(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Cancelling a write that waits for a lock also cancels its statement on the server."""
    entries = [unique_entry(str(number)) for number in range(500)]
    destination = make(with_option(f"application_name=test-{table}"))
    await destination.write_batch(entries[:100])
    async with admin.transaction():
        await admin.execute(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE')
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(destination.write_batch(entries), 0.3)
        busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'"
        assert await admin.fetchval(busy, f"test-{table}") == 0
    await destination.write_batch(entries)
    assert await count_rows(admin, table) == 500


@pytest.mark.integration
async def test_delivery_resumes_after_the_connection_is_lost(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """The same destination reconnects and stores no duplicates."""
    entries = [unique_entry(str(number)) for number in range(300)]
    name = f"test-{table}"
    destination = make(with_option(f"application_name={name}"))
    for start in range(0, 300, 100):
        await destination.write_batch(entries[start : start + 50])
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", name)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await destination.write_batch(entries[start : start + 100])
                except DeliveryError as error:
                    assert type(error) is DeliveryError, "the batch would be dropped"  # noqa: PT017 - may be raised
                else:
                    break
    assert await count_rows(admin, table) == 300


@pytest.mark.integration
async def test_values_that_postgres_rejects_are_cleaned(make: Callable[..., PostgresDestination]) -> None:
    """A batch contains NUL, lone surrogates, NaN, a number in a text column, and an ordinary entry."""
    odd = {"nul": "a\0b", "nan": float("nan"), "surrogate": "\ud800", "huge": 2**70, "bytes": b"\0\xff"}
    entries = [
        unique_entry("plain"),
        unique_entry("a\0b", input_args=odd, extra_data={"\0": ["\0"]}),
        unique_entry("\ud800", tool_name=7),
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
async def test_a_value_that_cannot_be_cleaned_is_reported_as_invalid(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    make: Callable[..., PostgresDestination],
    values: dict[str, Any],
) -> None:
    """No entry of the batch is stored, and the connection stays usable for its parts."""
    entries = [unique_entry("good"), unique_entry("poison", **values)]
    destination = make()
    with pytest.raises(InvalidEntryError, match=r"^PostgreSQL cannot store a value: "):
        await destination.write_batch(entries)
    assert await count_rows(admin, table) == 0
    await destination.write_batch(entries[:1])
    assert await count_rows(admin, table) == 1


@pytest.mark.integration
async def test_very_long_names_are_stored_and_found(make: Callable[..., PostgresDestination]) -> None:
    """Tool names and correlation ids of 20,000 characters fit the indexes and match exactly."""
    long, other = secrets.token_hex(10_000), "x" * 64
    entry = make_entry("long", tool_name=other + long, correlation_id=long)
    destination = make()
    await destination.write_batch([entry, make_entry("short", tool_name=other)])
    assert await destination.query(tool_name=other + long, correlation_id=long) == [entry]
    assert await destination.query(tool_name=other + long + "x") == []


@pytest.mark.integration
@pytest.mark.parametrize("text", ["100%", "a_b", "it's", 'say "hi"', "back\\slash", "\\%", "$1", "ÄÖ", "{0}", "日本"])
async def test_the_text_filter_has_no_special_characters(make: Callable[..., PostgresDestination], text: str) -> None:
    """Only the entry with the text is found, in any case; beyond ASCII, case depends on the database's locale."""
    decoys = [unique_entry(word) for word in ("100x", "axb", "its", "back/slash", "say hi", "\\x", "$2", "AO", "{1}")]
    entry = unique_entry(f"before {text} after")
    destination = make()
    await destination.write_batch([*decoys, entry])
    assert await destination.query(text=text.swapcase() if text.isascii() else text) == [entry]


@pytest.mark.integration
async def test_the_text_filter_searches_argument_values(make: Callable[..., PostgresDestination]) -> None:
    """It ignores case, argument names, and JSON escapes and punctuation."""
    destination = make()
    await destination.write(make_entry("entry", input_args=ARGUMENTS))
    found = {text: len(await destination.query(text=text)) for text in SEARCHES}
    assert found == SEARCHES


@pytest.mark.integration
async def test_a_rejected_login_is_reported_in_one_sentence(make: Callable[..., PostgresDestination]) -> None:
    """The sentence contains the server, the setting and the user, but not the password.

    The user does not exist, because the server of compose.yaml accepts any password.
    """
    user = f"role_{secrets.token_hex(4)}"
    with pytest.raises(AccessError, match=rf"^PostgreSQL at .* rejects the login of POSTGRES_DSN: .*{user}") as caught:
        await make(with_user(user, SECRET)).write(unique_entry("x"))
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.integration
async def test_a_role_with_only_insert_permission_can_deliver(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    role: tuple[str, str],
    make: Callable[..., PostgresDestination],
) -> None:
    """An existing table needs neither CREATE, SELECT nor DELETE; without INSERT, delivery fails."""
    await make().open()
    destination = make(with_user(*role), log_retention_days=1)
    with pytest.raises(AccessError, match=r"denies a permission to the role of POSTGRES_DSN: permission denied"):
        await destination.write(unique_entry("x"))
    await admin.execute(f'GRANT INSERT ON "{table}" TO {role[0]}')
    entries = [unique_entry(str(number)) for number in range(5)]
    for _ in range(2):
        await destination.write_batch(entries)
    assert await count_rows(admin, table) == 5
    with pytest.raises(AccessError, match=r"permission denied for schema"):
        await make(with_user(*role), postgres_table=f"pg_catalog.{table}").open()


@pytest.mark.integration
async def test_a_url_of_host_and_database_logs_in_as_the_current_user(
    admin: asyncpg.Connection[asyncpg.Record], role: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`postgresql://localhost/mcp_logs` works with a database of that name and a role of the user's name."""
    address = urlsplit(DSN)
    database = f"mcp_logs_{secrets.token_hex(4)}"
    for variable, value in {"LOGNAME": role[0], "PGPASSWORD": role[1], "PGPORT": str(address.port or 5432)}.items():
        monkeypatch.setenv(variable, value)
    await admin.execute(f"CREATE DATABASE {database} TEMPLATE template0 OWNER {role[0]}")
    destination = PostgresDestination(postgres_helpers.make_settings(f"postgresql://{address.hostname}/{database}"))
    try:
        entry = unique_entry("x")
        await destination.write(entry)
        assert await destination.query() == [entry]
    finally:
        await destination.close()
        await admin.execute(f"DROP DATABASE {database}")
