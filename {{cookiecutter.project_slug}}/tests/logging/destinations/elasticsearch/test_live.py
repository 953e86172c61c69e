"""What a real Elasticsearch cluster keeps of the entries, and how they are found again."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import (
    IGNORE_ABOVE,
    TEMPLATE_VERSION,
    daily_index,
    index_template,
)
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError, PartialDeliveryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, Certificates, Cluster, entries

cluster, destination = elasticsearch_helpers.cluster, elasticsearch_helpers.destination
certificates = elasticsearch_helpers.certificates

WRITE_IN_A_PROCESS = """
import asyncio, sys
from datetime import UTC, datetime
import elasticsearch
from {{cookiecutter.project_slug}}.logging.destinations import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import ElasticsearchDestination

async def main():
    destination = ElasticsearchDestination([sys.argv[1]], index_prefix=sys.argv[2])
    batch = [LogEntry("c-1", datetime.now(UTC), "INFO", "internal", f"entry {number}") for number in range(10)]
    sys.stdin.readline()
    await destination.write_batch(batch)
    await destination.close()

print("ready", flush=True)
asyncio.run(main())
"""


@pytest.mark.integration
async def test_what_is_written_lies_in_daily_indices_for_others_to_search(cluster: Cluster, destination: Any) -> None:
    """The mapping is the template's; `sort=timestamp:desc` works as it is."""
    batch = [make_entry(f"day {day}", timestamp=DAY + timedelta(days=day), line=day) for day in range(3)]
    await destination(cluster.url, index_prefix=cluster.prefix).write_batch(batch)
    assert await cluster.indices() == [f"{cluster.prefix}-2026.03.{day}" for day in (14, 15, 16)]
    await cluster.ask("POST", f"/{cluster.prefix}-*/_refresh")
    found = await cluster.ask("GET", f"/{cluster.prefix}-*/_search?sort=timestamp:desc")
    assert [hit["_source"]["message"] for hit in found["hits"]["hits"]] == ["day 2", "day 1", "day 0"]
    index = f"{cluster.prefix}-2026.03.14"
    mapping = (await cluster.ask("GET", f"/{index}/_mapping"))[index]["mappings"]["properties"]
    assert set(mapping) == set(FIELD_NAMES)
    types = {"timestamp": "date_nanos", "level": "keyword", "message": "text", "line": "long", "duration_ms": "double"}
    assert {name: mapping[name]["type"] for name in types} == types
    assert mapping["input_args"]["enabled"] is False


@pytest.mark.integration
async def test_a_batch_written_twice_is_there_once(cluster: Cluster, destination: Any) -> None:
    """Also in parts, and by another process."""
    batch = entries(500)
    await destination(cluster.url, index_prefix=cluster.prefix).write_batch(batch[:250])
    await destination(cluster.url, index_prefix=cluster.prefix).write_batch(batch)
    assert await cluster.count() == 500


@pytest.mark.integration
async def test_processes_make_the_template_at_once(cluster: Cluster) -> None:
    """Each has its entries delivered, in an index that is as it should be, and none has anything to say."""
    command = (sys.executable, "-c", WRITE_IN_A_PROCESS, cluster.url, cluster.prefix)
    processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ends = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert ([process.returncode for process in processes], ends) == ([0] * 3, [(b"", b"")] * 3)
    assert await cluster.count() == 30
    mappings = await cluster.ask("GET", f"/{cluster.prefix}-*/_mapping")
    assert all(index["mappings"]["properties"]["timestamp"]["type"] == "date_nanos" for index in mappings.values())
    templates = await cluster.ask("GET", f"/_index_template/{cluster.prefix}")
    assert templates["index_templates"][0]["index_template"]["version"] == TEMPLATE_VERSION


@pytest.mark.integration
async def test_a_template_of_somebody_else_keeps_no_index_from_being_right(
    cluster: Cluster, destination: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Where ours cannot be made, the indices are."""
    theirs = {"index_patterns": [f"{cluster.prefix}-*"], "priority": index_template(cluster.prefix)["priority"]}
    await cluster.ask("PUT", f"/_index_template/{cluster.prefix}-more", theirs)
    built = destination(cluster.url, index_prefix=cluster.prefix)
    clashing = [make_entry(input_args={"a": 1}), make_entry(input_args={"a": "text"}), make_entry(tool_name="a b")]
    with caplog.at_level(logging.WARNING):
        await built.write_batch(clashing)
    assert "without a template" in caplog.text
    assert await built.query() == sorted(clashing, key=lambda entry: entry.timestamp, reverse=True)
    assert await built.query(tool_name="a b") == clashing[2:]
    assert await built.query(tool_name="a") == []


@pytest.mark.integration
async def test_a_poison_entry_costs_itself_only(cluster: Cluster, destination: Any) -> None:
    """499 of 500 arrive."""
    batch = entries(500)
    batch[123].message = {"not": "a text"}  # type: ignore[assignment]
    with pytest.raises(PartialDeliveryError, match="400 document_parsing_exception") as raised:
        await destination(cluster.url, index_prefix=cluster.prefix).write_batch(batch)
    assert (raised.value.retryable, raised.value.invalid) == ([], [batch[123]])
    assert await cluster.count() == 499


@pytest.mark.integration
async def test_values_of_any_size_and_name_arrive(cluster: Cluster, destination: Any) -> None:
    """A term of more than 32,766 bytes, clashing types, thousands of names, and names that mean something."""
    names = {"": 1, ".": 2, "a.b": {"c": 3}, "a": "b", "_id": "x", "$x": None, **{f"name {n}": n for n in range(3_000)}}
    batch = [
        make_entry("\u20ac" * 40_000, module="\U0001f600" * 40_000, input_args=names),
        make_entry("\U0001f600" * IGNORE_ABOVE, input_args={"a": {"b": 1}, "name 1": "text"}, extra_data=names),
        make_entry("", input_args={"name 1": [{"x": 1}, "y"]}, timestamp=datetime(1, 1, 1, tzinfo=UTC)),
    ]
    built = destination(cluster.url, index_prefix=cluster.prefix)
    await built.write_batch(batch)
    found = {entry.entry_id: entry for entry in await built.query()}
    assert found == {entry.entry_id: entry for entry in batch}
    mappings = await cluster.ask("GET", f"/{cluster.prefix}-*/_mapping")
    assert all(set(index["mappings"]["properties"]) == set(FIELD_NAMES) for index in mappings.values())


@pytest.mark.integration
async def test_entries_come_newest_first_and_in_their_order(cluster: Cluster, destination: Any) -> None:
    """A microsecond counts; of entries of one moment the one written last comes first; pages do not overlap."""
    built = destination(cluster.url, index_prefix=cluster.prefix)
    batch = [*entries(5), *[make_entry(f"same {number}", timestamp=DAY) for number in range(5)]]
    await built.write_batch(batch)
    expected = [*[f"message {n}" for n in (4, 3, 2, 1)], *[f"same {n}" for n in (4, 3, 2, 1, 0)], "message 0"]
    assert [entry.message for entry in await built.query()] == expected
    pages = [await built.query(limit=3, offset=offset) for offset in range(0, 12, 3)]
    assert [entry.message for page in pages for entry in page] == expected
    moment = DAY + timedelta(microseconds=2)
    assert [entry.message for entry in await built.query(since=moment)] == expected[:3]
    assert [entry.message for entry in await built.query(until=moment)] == expected[3:]


@pytest.mark.integration
async def test_pages_reach_beyond_ten_thousand(cluster: Cluster, destination: Any) -> None:
    """Where the cluster's own paging ends."""
    built = destination(cluster.url, index_prefix=cluster.prefix)
    batch = entries(10_050)
    for start in range(0, len(batch), 500):
        await built.write_batch(batch[start : start + 500])
    assert await built.query(limit=100, offset=10_020) == batch[29::-1]
    assert len(await built.query(limit=10_000)) == 10_000


@pytest.mark.integration
@pytest.mark.parametrize(
    "text",
    ["100%", "a_b", "*", "?", "\\", '"', "\\*", "[z]", "MIXED Case", "\u00e4\u00d6\u00fc", "\u65e5\u672c", ""],
)
async def test_a_text_is_found_as_it_is(cluster: Cluster, destination: Any, text: str) -> None:
    """No character is special, case does not count; in each of the fields, and however long the value is."""
    long = "x" * 20_000
    holding = [
        make_entry(f"before {text} after"),
        make_entry("", error_message=text.upper() + "."),
        make_entry("", output_summary=f"{long}{text.lower()}{long}"),
        make_entry("", tool_name=f"tool{text}"),
    ]
    others = [make_entry("before x after"), make_entry(long), make_entry("", input_args={"text": f"_{text}"})]
    built = destination(cluster.url, index_prefix=cluster.prefix)
    await built.write_batch([*holding, *others])
    found = {entry.entry_id for entry in await built.query(text=text)}
    assert found == {entry.entry_id for entry in [*holding, *(others if text == "" else [])]}


@pytest.mark.integration
async def test_a_searched_text_may_be_long(cluster: Cluster, destination: Any) -> None:
    """Longer than a pattern the cluster takes."""
    built = destination(cluster.url, index_prefix=cluster.prefix)
    wanted = make_entry("y" * 7_000 + "*" * 999)
    await built.write_batch([wanted, make_entry("y" * 7_000)])
    assert await built.query(text="y" * 5_000 + "*" * 500) == [wanted]


@pytest.mark.integration
async def test_a_time_that_no_cluster_can_store_is_a_bound_like_any_other(cluster: Cluster, destination: Any) -> None:
    """Before 1970 and after 2262."""
    built = destination(cluster.url, index_prefix=cluster.prefix)
    (entry,) = entries(1)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    await built.write(entry)
    assert await built.query(since=first, until=last) == [entry]
    assert await built.query(since=last) == []
    assert await built.query(until=first) == []


@pytest.mark.integration
async def test_indices_that_are_not_ours_are_neither_read_nor_deleted(cluster: Cluster, destination: Any) -> None:
    """Such as those of a project whose prefix begins with ours."""
    old = datetime.now(UTC) - timedelta(days=40)
    ours, theirs = make_entry("ours", timestamp=old), make_entry("theirs", timestamp=old)
    await destination(cluster.url, index_prefix=f"{cluster.prefix}-more").write(theirs)
    await cluster.ask("PUT", f"/{cluster.prefix}-2020.1.1/_doc/1", {"timestamp": "yesterday", "message": "theirs"})
    await cluster.ask("PUT", f"/{daily_index(cluster.prefix, old.date())}/_doc/1", {"message": "not an entry"})
    built = destination(cluster.url, index_prefix=cluster.prefix)
    assert await built.query() == []
    await built.write(ours)
    assert await built.query() == [ours]
    await destination(cluster.url, index_prefix=cluster.prefix, retention_days=30).write(make_entry())
    today = datetime.now(UTC).date()
    assert await cluster.indices() == sorted(
        [
            f"{cluster.prefix}-2020.1.1",
            daily_index(cluster.prefix, today),
            daily_index(f"{cluster.prefix}-more", old.date()),
        ]
    )


@pytest.mark.integration
async def test_a_closed_index_keeps_no_other_from_being_read(cluster: Cluster, destination: Any) -> None:
    """Its own entries wait until it is opened."""
    built = destination(cluster.url, index_prefix=cluster.prefix)
    yesterday, today = make_entry(timestamp=DAY - timedelta(days=1)), make_entry(timestamp=DAY)
    await built.write_batch([yesterday, today])
    await cluster.ask("POST", f"/{daily_index(cluster.prefix, date(2026, 3, 13))}/_close")
    assert await built.query() == [today]
    with pytest.raises(DeliveryError, match="index_closed_exception") as raised:
        await built.write(make_entry(timestamp=DAY - timedelta(days=1)))
    assert type(raised.value) is DeliveryError


@pytest.mark.integration
async def test_a_real_cluster_behind_tls_is_written_and_read(
    cluster: Cluster, certificates: Certificates, destination: Any
) -> None:
    """Through a proxy that ends TLS, as in front of most clusters."""
    host, port = re.fullmatch(r"https?://(?:.*@)?([^:/]+):(\d+).*", cluster.url).groups()  # type: ignore[union-attr]

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    async with await asyncio.start_server(proxy, "127.0.0.1", 0, ssl=certificates.context) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        (entry,) = entries(1)
        built = destination(url, index_prefix=cluster.prefix, ca_certs=certificates.right)
        await built.write(entry)
        assert await built.query() == [entry]
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            await destination(url, index_prefix=cluster.prefix, ca_certs=certificates.wrong).query()
        await built.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
