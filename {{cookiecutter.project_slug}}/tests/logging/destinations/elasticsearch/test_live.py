"""Write to a real Elasticsearch cluster, and query it."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from helpers import ARGUMENTS, SEARCHES, make_entry

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import ElasticsearchDestination
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import (
    ARGUMENT_VALUES,
    MAX_INDEXED_CHARACTERS,
    TEMPLATE_VERSION,
    daily_index,
    index_template,
)
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError, PartialDeliveryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, Certificates, Cluster, entries

cluster, destination_for = elasticsearch_helpers.cluster, elasticsearch_helpers.destination_for
destination = elasticsearch_helpers.destination
certificates = elasticsearch_helpers.certificates

WRITE_BATCH = Path(__file__).with_name("fixtures") / "write_batch.py"


@pytest.mark.integration
async def test_entries_are_in_daily_indices_that_other_tools_can_search(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """The indices have the mapping of the template, and `sort=timestamp:desc` works."""
    batch = [make_entry(f"day {day}", timestamp=DAY + timedelta(days=day), line=day) for day in range(3)]
    await destination.write_batch(batch)
    assert await cluster.indices() == [f"{cluster.prefix}-2026.03.{day}" for day in (14, 15, 16)]
    await cluster.request("POST", f"/{cluster.prefix}-*/_refresh")
    found = await cluster.request("GET", f"/{cluster.prefix}-*/_search?sort=timestamp:desc")
    assert [hit["_source"]["message"] for hit in found["hits"]["hits"]] == ["day 2", "day 1", "day 0"]
    index = f"{cluster.prefix}-2026.03.14"
    mapping = (await cluster.request("GET", f"/{index}/_mapping"))[index]["mappings"]["properties"]
    assert set(mapping) == {*FIELD_NAMES, ARGUMENT_VALUES}
    types = {"timestamp": "date_nanos", "level": "keyword", "message": "text", "line": "long", "duration_ms": "double"}
    assert {name: mapping[name]["type"] for name in types} == types
    assert mapping["input_args"]["enabled"] is False


@pytest.mark.integration
async def test_an_entry_written_twice_is_stored_once(
    cluster: Cluster, destination: ElasticsearchDestination, destination_for: Any
) -> None:
    """Even by two destinations, and in different batches."""
    batch = entries(500)
    await destination.write_batch(batch[:250])
    await destination_for(cluster.url, elasticsearch_index_prefix=cluster.prefix).write_batch(batch)
    assert await cluster.count() == 500


@pytest.mark.integration
async def test_several_processes_can_create_the_template_at_once(cluster: Cluster) -> None:
    """All entries are written to an index with the right mapping, and no process prints anything."""
    command = (sys.executable, str(WRITE_BATCH), cluster.url, cluster.prefix)
    processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert outputs == [(b"", b"")] * 3
    assert [process.returncode for process in processes] == [0] * 3
    assert await cluster.count() == 30
    mappings = await cluster.request("GET", f"/{cluster.prefix}-*/_mapping")
    assert all(index["mappings"]["properties"]["timestamp"]["type"] == "date_nanos" for index in mappings.values())
    templates = await cluster.request("GET", f"/_index_template/{cluster.prefix}")
    assert templates["index_templates"][0]["index_template"]["version"] == TEMPLATE_VERSION


@pytest.mark.integration
async def test_indices_have_the_right_mapping_even_if_a_foreign_template_blocks_ours(
    cluster: Cluster, destination: ElasticsearchDestination, caplog: pytest.LogCaptureFixture
) -> None:
    """Each index is created with the mapping instead."""
    foreign = {"index_patterns": [f"{cluster.prefix}-*"], "priority": index_template(cluster.prefix)["priority"]}
    await cluster.request("PUT", f"/_index_template/{cluster.prefix}-more", foreign)
    clashing = [make_entry(input_args={"a": 1}), make_entry(input_args={"a": "text"}), make_entry(tool_name="a b")]
    with caplog.at_level(logging.WARNING):
        await destination.write_batch(clashing)
    assert "without a template" in caplog.text
    assert await destination.query() == sorted(clashing, key=lambda entry: entry.timestamp, reverse=True)
    assert await destination.query(tool_name="a b") == clashing[2:]
    assert await destination.query(tool_name="a") == []


@pytest.mark.integration
async def test_an_invalid_entry_does_not_affect_the_rest_of_its_batch(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """The other 499 entries are written."""
    batch = entries(500)
    batch[123].message = {"not": "a text"}  # type: ignore[assignment]
    with pytest.raises(PartialDeliveryError, match="400 document_parsing_exception") as raised:
        await destination.write_batch(batch)
    assert (raised.value.retryable, raised.value.invalid) == ([], [batch[123]])
    assert await cluster.count() == 499


@pytest.mark.integration
async def test_values_of_any_size_and_keys_of_any_name_are_stored(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """Terms of more than 32,766 bytes, conflicting types, thousands of keys, and keys with a special meaning."""
    names = {"": 1, ".": 2, "a.b": {"c": 3}, "a": "b", "_id": "x", "$x": None, **{f"name {n}": n for n in range(3_000)}}
    batch = [
        make_entry("\u20ac" * 40_000, module="\U0001f600" * 40_000, input_args=names),
        make_entry(
            "\U0001f600" * MAX_INDEXED_CHARACTERS, input_args={"a": {"b": 1}, "name 1": "text"}, extra_data=names
        ),
        make_entry("", input_args={"name 1": [{"x": 1}, "y"]}, timestamp=datetime(1, 1, 1, tzinfo=UTC)),
    ]
    await destination.write_batch(batch)
    found = {entry.entry_id: entry for entry in await destination.query()}
    assert found == {entry.entry_id: entry for entry in batch}
    mappings = await cluster.request("GET", f"/{cluster.prefix}-*/_mapping")
    assert all(set(index["mappings"]["properties"]) == {*FIELD_NAMES, ARGUMENT_VALUES} for index in mappings.values())


@pytest.mark.integration
async def test_a_query_returns_the_newest_entries_first(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """To the microsecond; entries with equal timestamps come last-written first, and pages do not overlap."""
    batch = [*entries(5), *[make_entry(f"same {number}", timestamp=DAY) for number in range(5)]]
    await destination.write_batch(batch)
    expected = [*[f"message {n}" for n in (4, 3, 2, 1)], *[f"same {n}" for n in (4, 3, 2, 1, 0)], "message 0"]
    assert [entry.message for entry in await destination.query()] == expected
    pages = [await destination.query(limit=3, offset=offset) for offset in range(0, 12, 3)]
    assert [entry.message for page in pages for entry in page] == expected
    moment = DAY + timedelta(microseconds=2)
    assert [entry.message for entry in await destination.query(since=moment)] == expected[:3]
    assert [entry.message for entry in await destination.query(until=moment)] == expected[3:]


@pytest.mark.integration
async def test_a_query_can_skip_more_than_ten_thousand_entries(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """The cluster's own paging ends there."""
    batch = entries(10_050)
    for start in range(0, len(batch), 500):
        await destination.write_batch(batch[start : start + 500])
    assert await destination.query(limit=100, offset=10_020) == batch[29::-1]
    assert len(await destination.query(limit=10_000)) == 10_000


@pytest.mark.integration
async def test_the_slowest_entries_come_first(cluster: Cluster, destination: ElasticsearchDestination) -> None:
    """Without those that have no duration, on every page; equally slow ones are sorted by time."""
    slow = [entry for number in range(1_100) for entry in entries(2, duration_ms=number / 8)]
    batch = [*slow, *entries(50), *entries(1, duration_ms=0.1, timestamp=DAY - timedelta(days=1))]
    for start in range(0, len(batch), 500):
        await destination.write_batch(batch[start : start + 500])
    durations = [entry.duration_ms for entry in await destination.query(slowest=True, limit=10_000)]
    assert durations == sorted([0.1, *(number / 8 for number in range(1_100) for _ in range(2))], reverse=True)
    assert await destination.query(slowest=True, limit=3, offset=1_998) == slow[201:198:-1]
    assert await destination.query(slowest=True, min_duration_ms=0.1, limit=1, offset=2_198) == batch[-1:]
    assert await destination.query(min_duration_ms=137.375) == slow[:-3:-1]


@pytest.mark.integration
@pytest.mark.parametrize("odd", ["", "*", "?", "\\", "-", "x" * 400])
async def test_an_id_is_found_by_its_beginning_and_its_end(
    cluster: Cluster, destination: ElasticsearchDestination, odd: str
) -> None:
    """That of the entry and that of the correlation; no character is special, and case matters."""
    ids = {"entry_id": f"ab{odd}cd"}, {"correlation_id": f"cd{odd}ab"}, {"entry_id": "abcdX"}, {"entry_id": "AB"}
    first, second, third, last = (
        make_entry(timestamp=DAY + timedelta(seconds=number), **values) for number, values in enumerate(ids)
    )
    await destination.write_batch([first, second, third, last])
    assert await destination.query(any_id=f"b{odd}c") == []
    assert await destination.query(any_id=f"ab{odd}cd") == [third, first][odd != "" :]
    assert await destination.query(any_id=f"ab{odd}c") == [third, first][odd != "" :]
    assert await destination.query(any_id="cd") == [second, first]
    assert await destination.query(any_id="B") == [last]
    assert await destination.query(any_id=f"-{odd * 20}cd") == []


@pytest.mark.integration
@pytest.mark.parametrize(
    "text",
    ["100%", "a_b", "*", "?", "\\", '"', "\\*", "[z]", "MIXED Case", "\u00e4\u00d6\u00fc", "\u65e5\u672c", ""],
)
async def test_a_text_is_found_literally(cluster: Cluster, destination: ElasticsearchDestination, text: str) -> None:
    """Without wildcards and case, in each of the text fields, and in values of any length."""
    long = "x" * 20_000
    matching = [
        make_entry(f"before {text} after"),
        make_entry("", error_message=text.upper() + "."),
        make_entry("", output_summary=f"{long}{text.lower()}{long}"),
        make_entry("", tool_name=f"tool{text}"),
        make_entry("", target=f"file:///{text}"),
        make_entry("", error_type=f"Error{text}"),
        make_entry("", traceback=f"Traceback\n  {text.upper()}\n"),
        make_entry("", input_args={"text": f"_{text.upper()}_", "more": [1]}),
    ]
    others = [make_entry("before x after"), make_entry(long), make_entry("", input_args={f"_{text}": "other"})]
    await destination.write_batch([*matching, *others])
    found = {entry.entry_id for entry in await destination.query(text=text)}
    assert found == {entry.entry_id for entry in [*matching, *(others if text == "" else [])]}


@pytest.mark.integration
async def test_the_values_of_arguments_can_be_searched(cluster: Cluster, destination: ElasticsearchDestination) -> None:
    """By queries and statistics; they ignore case, names, and the quotes and escapes of JSON."""
    call = {"log_type": "tool_execution", "tool_name": "echo", "status": "success"}
    await destination.write(make_entry("entry", input_args=ARGUMENTS, **call))
    found = {text: len(await destination.query(text=text)) for text in SEARCHES}
    counted = {text: len((await destination.stats(text=text)).groups) for text in SEARCHES}
    assert found == counted == SEARCHES


@pytest.mark.integration
async def test_a_long_text_is_found(cluster: Cluster, destination: ElasticsearchDestination) -> None:
    """Even if it is longer than the patterns that the cluster accepts."""
    text = "y" * 7_000 + "*" * 999
    wanted = [
        make_entry(text),
        make_entry("", input_args={"text": text}),
        make_entry("", input_args={"long": 2 * text}),
    ]
    await destination.write_batch([*wanted, make_entry("y" * 7_000, input_args={"text": "y" * 9_000})])
    found = await destination.query(text="y" * 5_000 + "*" * 500)
    assert {entry.entry_id for entry in found} == {entry.entry_id for entry in wanted}


@pytest.mark.integration
async def test_a_query_accepts_times_that_the_cluster_cannot_store(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """They are before 1970 or after 2262."""
    (entry,) = entries(1)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    await destination.write(entry)
    assert await destination.query(since=first, until=last) == [entry]
    assert await destination.query(since=last) == []
    assert await destination.query(until=first) == []


@pytest.mark.integration
async def test_foreign_indices_are_neither_searched_nor_deleted(
    cluster: Cluster, destination: ElasticsearchDestination, destination_for: Any
) -> None:
    """For example, those of a project with a longer prefix that begins with ours."""
    old = datetime.now(UTC) - timedelta(days=40)
    ours, foreign = make_entry("ours", timestamp=old), make_entry("foreign", timestamp=old)
    await destination_for(cluster.url, elasticsearch_index_prefix=f"{cluster.prefix}-more").write(foreign)
    await cluster.request("PUT", f"/{cluster.prefix}-2020.1.1/_doc/1", {"timestamp": "yesterday", "message": "foreign"})
    await cluster.request("PUT", f"/{daily_index(cluster.prefix, old.date())}/_doc/1", {"message": "not an entry"})
    assert await destination.query() == []
    await destination.write(ours)
    assert await destination.query() == [ours]
    settings = {"elasticsearch_index_prefix": cluster.prefix, "log_retention_days": 30}
    await destination_for(cluster.url, **settings).write(make_entry())
    today = datetime.now(UTC).date()
    assert await cluster.indices() == sorted(
        [
            f"{cluster.prefix}-2020.1.1",
            daily_index(cluster.prefix, today),
            daily_index(f"{cluster.prefix}-more", old.date()),
        ]
    )


@pytest.mark.integration
async def test_a_closed_index_does_not_affect_other_indices(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """Entries for the closed index are retried until it is opened."""
    yesterday, today = make_entry(timestamp=DAY - timedelta(days=1)), make_entry(timestamp=DAY)
    await destination.write_batch([yesterday, today])
    await cluster.request("POST", f"/{daily_index(cluster.prefix, date(2026, 3, 13))}/_close")
    assert await destination.query() == [today]
    late = make_entry(timestamp=DAY - timedelta(days=1))
    with pytest.raises(PartialDeliveryError, match="index_closed_exception") as raised:
        await destination.write_batch([late, make_entry(timestamp=DAY)])
    assert (raised.value.retryable, raised.value.invalid) == ([late], [])


@pytest.mark.integration
async def test_a_cluster_behind_tls_can_be_written_to_and_queried(
    cluster: Cluster, certificates: Certificates, destination_for: Any
) -> None:
    """Through a proxy that terminates TLS, like the one in front of most clusters."""
    host, port = re.fullmatch(r"https?://(?:.*@)?([^:/]+):(\d+).*", cluster.url).groups()  # type: ignore[union-attr]

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    async with await asyncio.start_server(proxy, "127.0.0.1", 0, ssl=certificates.context) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        (entry,) = entries(1)
        settings = {"elasticsearch_index_prefix": cluster.prefix, "elasticsearch_ca_certs": certificates.right_ca}
        destination = destination_for(url, **settings)
        await destination.write(entry)
        assert await destination.query() == [entry]
        untrusting = destination_for(url, **{**settings, "elasticsearch_ca_certs": certificates.wrong_ca})
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            await untrusting.query()
        await destination.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
