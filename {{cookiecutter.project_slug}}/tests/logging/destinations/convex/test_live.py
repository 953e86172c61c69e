"""The Convex destination against a real deployment, and the answers of its routes."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from helpers import ARGUMENTS, SEARCHES, make_entry

from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, PartialDeliveryError

from .convex_helpers import KEY, URL, documents, make_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def live() -> AsyncIterator[ConvexDestination]:
    """Return an open destination that uses the deployment under test."""
    destination = ConvexDestination(make_settings())
    try:
        await destination.open()
    except DeliveryError as error:
        pytest.fail(f"{error}. Run docker compose up -d and deploy (docs/destinations/convex.md).", pytrace=False)
    yield destination
    await destination.close()


def some_id() -> str:
    """Return a unique id."""
    return secrets.token_hex(8)


@pytest.mark.integration
async def test_a_wrong_key_is_an_access_error(live: ConvexDestination) -> None:
    """It is not retried, and the message says which key is needed."""
    stranger = ConvexDestination(make_settings(key="wrong"))
    with pytest.raises(AccessError, match=r"answered 401.*LOG_INGEST_KEY"):
        await stranger.open()
    with pytest.raises(AccessError):
        await stranger.query()
    await stranger.close()


@pytest.mark.integration
async def test_an_entry_is_read_back_unchanged(live: ConvexDestination) -> None:
    """With all fields, unusual keys and microseconds."""
    odd = {"": 0, "_id": 1, "$set": [{"größe": None}], "%41": "50%", "名": {"a": [1.5, -1, True]}}
    values = {name: f"{name} ü" for name in FIELD_NAMES if name not in ("message", "timestamp")}
    entry = make_entry(**{
        **values, "correlation_id": some_id(), "entry_id": some_id(), "duration_ms": 0.25, "line": 7, "process_id": 8,
        "input_args": odd, "extra_data": odd, "timestamp": datetime(2025, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    })  # fmt: skip
    await live.write(entry)
    assert await live.query(correlation_id=entry.correlation_id) == [entry]


@pytest.mark.integration
async def test_an_entry_sent_twice_is_stored_once(live: ConvexDestination) -> None:
    """Its id identifies it, across requests and inside one."""
    entry = make_entry(correlation_id=some_id())
    await live.write_batch([entry, entry])
    await live.write_batch([entry, make_entry(correlation_id=entry.correlation_id)])
    assert len(await live.query(correlation_id=entry.correlation_id)) == 2


@pytest.mark.integration
async def test_an_invalid_entry_is_rejected_alone(live: ConvexDestination) -> None:
    """The other 499 of 500 are stored."""
    name = some_id()
    batch = [make_entry(str(number), correlation_id=name) for number in range(500)]
    batch[250].message = 5  # type: ignore[assignment]
    with pytest.raises(PartialDeliveryError, match="rejected 1 of 500 entries: the field message must be") as caught:
        await live.write_batch(batch)
    assert caught.value.invalid == [batch[250]]
    assert len(await live.query(correlation_id=name, limit=1_000)) == 499


@pytest.mark.integration
async def test_oversized_and_deep_entries_are_stored(live: ConvexDestination) -> None:
    """The deployment accepts entries that were cut to its limits."""
    deep: object = 1
    for _ in range(40):
        deep = {"_": deep}
    name = some_id()
    wide = {f"k{number}": list(range(2_000)) for number in range(1_500)}
    for values in ({"message": "ü" * 2_000_000}, {"input_args": {"deep": deep}}, {"extra_data": wide}):
        await live.write(make_entry(**{"correlation_id": name, **values}))
    assert len(await live.query(correlation_id=name)) == 3


@pytest.mark.integration
async def test_the_values_of_arguments_can_be_searched(live: ConvexDestination) -> None:
    """The search ignores case, and it does not match names, quotes or escapes of their JSON text."""
    name = some_id()
    await live.write(make_entry("entry", correlation_id=name, input_args=ARGUMENTS))
    found = {text: len(await live.query(correlation_id=name, text=text)) for text in SEARCHES}
    assert found == SEARCHES


@pytest.mark.integration
async def test_a_query_joins_several_pages(live: ConvexDestination) -> None:
    """2,500 entries, more than one transaction reads, arrive newest first, without gaps or duplicates."""
    name, start = some_id(), datetime(2025, 6, 1, tzinfo=UTC)
    batch = [
        make_entry(str(number), correlation_id=name, timestamp=start + timedelta(milliseconds=number))
        for number in range(2_500)
    ]
    await live.write_batch(batch)
    newest_first = [str(number) for number in reversed(range(2_500))]
    found = await live.query(correlation_id=name, limit=10_000)
    assert [entry.message for entry in found] == newest_first
    found = await live.query(correlation_id=name, limit=50, offset=1_990)
    assert [entry.message for entry in found] == newest_first[1_990:2_040]


@pytest.mark.integration
async def test_the_routes_explain_malformed_requests(live: ConvexDestination) -> None:
    """Each answer is a JSON error; a single entry may be posted as {log: entry}."""
    (log,) = documents(make_entry(correlation_id=some_id()))
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=URL, trust_env=False, headers=headers) as client:
        assert (await client.post("/logs/ingest", json={"log": log})).json()["inserted"] == 1
        assert (await client.post("/logs/ingest", json={"logs": [log]})).json()["duplicates"] == 1
        for body in (b"no JSON", b"[]", b"{}", b'{"logs": 5}', b'{"log": {}}'):
            answer = await client.post("/logs/ingest", content=body)
            assert (answer.status_code, list(answer.json())) == (400, ["error"])
        for wrong in ("limit=0", "limit=x", "offset=-1", "since=yesterday", "color=red"):
            answer = await client.get(f"/logs/query?{wrong}")
            assert (answer.status_code, list(answer.json())) == (400, ["error"])
        answer = await client.get("/logs/query", headers={"Authorization": "Basic x"})
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
