"""The Convex destination against a real deployment, and the answers of its routes."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from helpers import ARGUMENTS, SEARCHES, make_entry

from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES, INTEGER_FIELDS
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, PartialDeliveryError
from {{cookiecutter.project_slug}}.logging.query import EQUAL_FIELDS, TEXT_FIELDS

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
        **values, "correlation_id": some_id(), "entry_id": some_id(), "duration_ms": 0.25,
        **dict.fromkeys(INTEGER_FIELDS, 7), "input_args": odd, "extra_data": odd,
        "timestamp": datetime(2025, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
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
@pytest.mark.parametrize("field", EQUAL_FIELDS)
async def test_a_field_is_matched_exactly(live: ConvexDestination, field: str) -> None:
    """Not by a part of it, nor in another case."""
    value = some_id()
    entries = [make_entry(value, **{field: text}) for text in (value, value.upper(), f"{value}x")]
    await live.write_batch(entries)
    assert await live.query(**{field: value}) == entries[:1]


@pytest.mark.integration
@pytest.mark.parametrize("field", TEXT_FIELDS)
async def test_a_text_is_searched_in_every_text_field(live: ConvexDestination, field: str) -> None:
    """In any case of its letters."""
    name = some_id()
    entry = make_entry(**{"correlation_id": name, field: "in Zero Division"})
    await live.write_batch([entry, make_entry(correlation_id=name)])
    assert await live.query(correlation_id=name, text="zero DIV") == [entry]


@pytest.mark.integration
async def test_either_end_of_an_id_finds_its_entries(live: ConvexDestination) -> None:
    """The id of an entry or of a request; the middle of an id finds nothing."""
    name = some_id()
    request = make_entry(correlation_id=f"{name}-request", timestamp=datetime(2025, 7, 1, tzinfo=UTC))
    entry = make_entry(entry_id=f"entry-{name}", timestamp=datetime(2025, 6, 1, tzinfo=UTC))
    await live.write_batch([entry, request])
    assert await live.query(any_id=name) == [request, entry]
    assert await live.query(any_id=f"{name}-req") == [request]
    assert await live.query(any_id=f"y-{name}") == [entry]
    assert await live.query(any_id=name[1:-1]) == []


@pytest.mark.integration
async def test_durations_are_compared_and_sorted(live: ConvexDestination) -> None:
    """Entries without a duration are left out."""
    name, start = some_id(), datetime(2025, 6, 1, tzinfo=UTC)
    batch = [
        make_entry(str(duration), correlation_id=name, duration_ms=duration, timestamp=start + timedelta(days=day))
        for day, duration in enumerate([0.0, 12.5, None, 900.0, 12.25])
    ]
    await live.write_batch(batch)
    found = {minimum: await live.query(correlation_id=name, min_duration_ms=minimum) for minimum in (0, 12.5, 901)}
    assert {minimum: [entry.duration_ms for entry in entries] for minimum, entries in found.items()} == {
        0: [12.25, 900.0, 12.5, 0.0],
        12.5: [900.0, 12.5],
        901: [],
    }
    slowest = await live.query(correlation_id=name, slowest=True, limit=2, offset=1)
    assert [entry.duration_ms for entry in slowest] == [12.5, 12.25]


@pytest.mark.integration
async def test_stats_are_computed_from_the_calls(live: ConvexDestination) -> None:
    """Grouped by any group, with failures and durations."""
    name = some_id()
    calls = [
        make_entry(
            log_type="tool_execution", tool_name="t", client_name=name, status=status, duration_ms=5.0, output_size=10
        )
        for status in ("success", "error")
    ]
    await live.write_batch([*calls, make_entry(client_name=name, tool_name="t")])
    stats = await live.stats(by="client", client_name=name)
    ((group, count, failures, longest, size),) = [
        (each.group, each.calls, each.failures, each.max_ms, each.output_size) for each in stats.groups
    ]
    assert (group, count, failures, longest, size) == (name, 2, 1, 5.0, 10.0)
    assert stats.is_complete


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
        for wrong in ("limit=0", "limit=x", "offset=-1", "since=yesterday", "color=red", "minDurationMs=x"):
            answer = await client.get(f"/logs/query?{wrong}")
            assert (answer.status_code, list(answer.json())) == (400, ["error"])
        answer = await client.get("/logs/query", headers={"Authorization": "Basic x"})
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
