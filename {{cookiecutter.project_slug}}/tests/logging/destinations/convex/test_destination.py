"""The Convex destination against a stub server, and the instance that the contract tests use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from helpers import make_entry, require_backend

from {{cookiecutter.project_slug}}.logging.destinations import BufferedDestination
from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination, ConvexSettings
from {{cookiecutter.project_slug}}.logging.destinations.convex.encoding import NAMES
from {{cookiecutter.project_slug}}.logging.errors import PartialDeliveryError
from {{cookiecutter.project_slug}}.logging.query import MAX_LIMIT, LogQuery

from .convex_helpers import SECRET, STORED, STORED_BY_SCHEMA_1, URL, documents, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry


class OwnEntries(ConvexDestination):
    """A destination that finds only its own entries: all tests share the table of the deployment."""

    def __init__(self, settings: ConvexSettings) -> None:
        super().__init__(settings)
        self.ids: set[str] = set()

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write entries and remember their ids."""
        self.ids.update(entry.entry_id for entry in entries)
        await super().write_batch(entries)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query in growing steps until enough entries of this test are found; omit those of other tests."""
        wanted = LogQuery.of(**filters)
        own: list[LogEntry] = []
        needed = wanted.offset + wanted.limit
        offset, limit = 0, min(2 * needed + 10, MAX_LIMIT)
        while len(own) < needed:
            found = await super().query(**filters | {"limit": limit, "offset": offset})
            own += [entry for entry in found if entry.entry_id in self.ids]
            if len(found) < limit:
                break
            offset, limit = offset + limit, min(2 * limit, MAX_LIMIT)
        return own[wanted.offset : wanted.offset + wanted.limit]


def make_destination(_: str) -> ConvexDestination:
    """Return an unopened, empty destination for the contract tests."""
    address = httpx.URL(URL)
    sentence = f"Convex does not answer at {URL}: `docker compose up -d`, then deploy (docs/destinations/convex.md)."
    require_backend(address.host, address.port or 443, sentence)
    return OwnEntries(make_settings())


async def test_a_large_batch_is_sent_in_a_few_requests(serve: Callable[..., Any]) -> None:
    """Each has at most 500 entries, and four are sent at a time."""
    stub, destination = await serve()
    entries = [make_entry(str(number)) for number in range(4_200)]
    await destination.write_batch(entries)
    assert len(stub.requests) == 9
    assert len(stub.connections) <= 4
    assert {document["entryId"] for document in stub.documents} == {entry.entry_id for entry in entries}


async def test_a_rejected_entry_is_reported_alone(serve: Callable[..., Any]) -> None:
    """The error contains the entry and the reason; the rest of the batch is stored."""
    answer = {"inserted": 2, "duplicates": 0, "rejected": [{"index": 1, "entryId": None, "error": "too odd"}]}
    _, destination = await serve((200, {**answer, "fields": list(NAMES.values())}))
    entries = [make_entry(str(number)) for number in range(3)]
    with pytest.raises(PartialDeliveryError, match=r"^Convex rejected 1 of 3 entries: too odd$") as caught:
        await destination.write_batch(entries)
    assert (caught.value.retryable, caught.value.invalid) == ([], [entries[1]])


async def test_functions_of_schema_1_get_new_fields_in_extra_data(
    serve: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """They do not know these fields; one line asks to deploy the functions again."""
    stub, destination = await serve((200, STORED_BY_SCHEMA_1))
    await destination.open()
    entry = make_entry(client_name="c", method="tools/call", input_size=5, extra_data={"a": 1})
    for _ in range(2):
        await destination.write(entry)
    await destination.open()
    document, _ = stub.documents
    assert document["clientName"] == "c"
    assert document["extraData"] == {"a": 1, "method": "tools/call", "input_size": 5}
    assert not {"method", "inputSize"} & document.keys()
    (warning,) = caplog.messages
    assert " stores method, target, " in warning
    assert warning.endswith(" in extraData: deploy the functions in convex/ again (npx convex deploy)")


async def test_the_fields_are_used_once_the_functions_are_deployed_again(serve: Callable[..., Any]) -> None:
    """Each answer tells which fields the deployment knows, so the server need not be restarted."""
    stub, destination = await serve((200, STORED_BY_SCHEMA_1), (200, STORED))
    await destination.open()
    for _ in range(2):
        await destination.write(make_entry(traceback="t"))
    before, after = stub.documents
    assert (before["extraData"], after["traceback"]) == ({"traceback": "t"}, "t")
    assert "extraData" not in after


async def test_entries_wait_if_older_functions_were_deployed(serve: Callable[..., Any]) -> None:
    """What they rejected is encoded for them and sent again; the rest is stored."""
    refusal = {"inserted": 1, "duplicates": 0, "rejected": [{"index": 1, "error": "the field method is unknown"}]}
    stub, destination = await serve((200, STORED), (200, refusal), (200, STORED_BY_SCHEMA_1))
    await destination.open()
    plain, entry = make_entry(), make_entry(method="tools/call")
    with pytest.raises(PartialDeliveryError) as caught:
        await destination.write_batch([plain, entry])
    assert (caught.value.retryable, caught.value.invalid) == ([entry], [])
    await destination.write_batch(caught.value.retryable)
    assert stub.documents[-1]["extraData"] == {"method": "tools/call"}


@pytest.mark.parametrize("status", [400, 413])
async def test_no_entry_is_rejected_because_opening_fails(serve: Callable[..., Any], status: int) -> None:
    """Opening sends no entries, so none is invalid: they wait until it succeeds."""
    stub, destination = await serve((status, {"error": "odd"}), (200, STORED))
    buffer = BufferedDestination(destination)
    await buffer.open()
    buffer.put(make_entry())
    await buffer.flush()
    await buffer.close()
    assert (buffer.counters.written, buffer.counters.failed) == (1, 0)
    assert len(stub.documents) == 1


async def test_a_query_continues_at_the_cursor(serve: Callable[..., Any]) -> None:
    """The deployment reads a few thousand entries per request and returns a cursor for the rest."""
    logs = documents(make_entry("newest"), make_entry("oldest"))
    stub, destination = await serve(
        (200, {"logs": [], "cursor": "c1", "skipped": 3}),
        (200, {"logs": logs[:1], "cursor": "c2", "skipped": 2}),
        (200, {"logs": logs[1:], "cursor": None, "skipped": 0}),
    )
    since = datetime(2025, 1, 1, tzinfo=UTC)
    found = await destination.query(level="INFO", tool_name="a&b", since=since, text="50%", limit=7, offset=5)
    assert [entry.message for entry in found] == ["newest", "oldest"]
    asked = [dict(httpx.URL(line.split(" ")[1]).params) for line, _, _ in stub.requests]
    filters = {"level": "INFO", "toolName": "a&b", "since": "2025-01-01T00:00:00.000000+00:00", "text": "50%"}
    assert asked == [
        {**filters, "limit": "7", "offset": "5"},
        {**filters, "limit": "7", "offset": "2", "cursor": "c1"},
        {**filters, "limit": "6", "offset": "0", "cursor": "c2"},
    ]


async def test_several_levels_become_several_parameters(serve: Callable[..., Any]) -> None:
    """The deployment matches any of them."""
    stub, destination = await serve((200, {"logs": [], "cursor": None, "skipped": 0}))
    assert await destination.query(level=("INFO", "ERROR")) == []
    assert "level=INFO&level=ERROR" in stub.requests[0][0]


async def test_the_slowest_are_sorted_by_the_destination(serve: Callable[..., Any]) -> None:
    """They are those of the newest 10,000 entries with a duration; of equal ones, the newest comes first."""
    entries = [make_entry(str(number), duration_ms=duration) for number, duration in enumerate([5.0, 9.5, 0.0, 9.5, 7])]
    stub, destination = await serve((200, {"logs": documents(*entries), "cursor": None, "skipped": 0}))
    found = await destination.query(slowest=True, tool_name="t", limit=3, offset=1)
    assert [entry.message for entry in found] == ["3", "4", "0"]
    (parameters,) = [dict(httpx.URL(line.split(" ")[1]).params) for line, _, _ in stub.requests]
    assert parameters == {"toolName": "t", "minDurationMs": "0.0", "limit": "10000", "offset": "0"}


async def test_stats_count_the_newest_calls(serve: Callable[..., Any]) -> None:
    """At most 10,000, read by a query, whose filters apply."""
    calls = [make_entry(log_type="tool_execution", tool_name="t", status=status) for status in ("success", "error")]
    stub, destination = await serve((200, {"logs": documents(*calls), "cursor": None, "skipped": 0}))
    stats = await destination.stats(by="tool", client_name="c")
    ((group, count, failures),) = [(each.group, each.calls, each.failures) for each in stats.groups]
    assert (group, count, failures, stats.is_complete) == ("t", 2, 1, True)
    (parameters,) = [dict(httpx.URL(line.split(" ")[1]).params) for line, _, _ in stub.requests]
    assert parameters == {"clientName": "c", "logType": "tool_execution", "limit": "10000", "offset": "0"}


def test_no_secret_is_shown() -> None:
    """Neither the settings nor the destination contain the key in their text."""
    settings = make_settings("https://x.convex.site", SECRET)
    destination = ConvexDestination.from_config(settings)
    assert SECRET not in f"{settings!r} {destination!r} {vars(destination)!r}"


async def test_an_unopened_destination_can_be_closed() -> None:
    """Also twice."""
    destination = ConvexDestination(make_settings("https://x.convex.site", SECRET))
    await destination.close()
    await destination.close()
