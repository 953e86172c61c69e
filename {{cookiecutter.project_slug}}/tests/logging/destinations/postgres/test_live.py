"""What a real PostgreSQL server keeps of the entries, whatever they hold and whatever happens on the way."""

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
from .postgres_helpers import DSN, SECRET, entry_with, stored, with_option, with_user

if TYPE_CHECKING:
    from collections.abc import Callable

no_variables = postgres_helpers.no_variables
admin, table, make = postgres_helpers.admin, postgres_helpers.table, postgres_helpers.make


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
                try:
                    await destination.write_batch(entries[start : start + 100])
                except DeliveryError as error:
                    assert type(error) is DeliveryError, "the batch would be given up"  # noqa: PT017 - may be raised
                else:
                    break
    assert await stored(admin, table) == 300


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
    with pytest.raises(InvalidEntryError, match=r"^PostgreSQL cannot store a value: "):
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
async def test_the_values_of_arguments_can_be_searched(make: Callable[..., PostgresDestination]) -> None:
    """As they were given, and not as JSON writes them; names and punctuation do not count, nor does the case."""
    destination = make()
    await destination.write(make_entry("entry", input_args=ARGUMENTS))
    found = {text: len(await destination.query(text=text)) for text in SEARCHES}
    assert found == SEARCHES


@pytest.mark.integration
async def test_a_wrong_password_is_one_clear_sentence(make: Callable[..., PostgresDestination]) -> None:
    """It names the server, the setting and the user, and no password."""
    user = str(urlsplit(DSN).username)
    with pytest.raises(AccessError, match=rf"^PostgreSQL at .* refuses the login of POSTGRES_DSN: .*{user}") as caught:
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
        with pytest.raises(AccessError, match=r"does not let the role of POSTGRES_DSN do this: permission denied"):
            await destination.write(entry_with("x"))
        await admin.execute(f'GRANT INSERT ON "{table}" TO {role}')
        entries = [entry_with(str(number)) for number in range(5)]
        for _ in range(2):
            await destination.write_batch(entries)
        assert await stored(admin, table) == 5
        with pytest.raises(AccessError, match=r"permission denied for schema"):
            await make(with_user(role, password), table=f"pg_catalog.{table}").open()
    finally:
        await admin.execute(f"DROP OWNED BY {role}")
        await admin.execute(f"DROP ROLE {role}")
