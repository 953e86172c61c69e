"""What the world outside sees: names, types and forms that other people's consumers and dashboards rely on."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.processes import LineServer

from .conftest import PRODUCTION
from .targets import ConvexTarget, ElasticsearchTarget, KafkaTarget, PostgresTarget, camel, unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backends import Convex, Elasticsearch, Kafka, Postgres
    from tests.support.project import Project

FIXED = {
    "correlation_id": "text", "timestamp": "timestamp with time zone", "level": "text", "log_type": "text",
    "message": "text", "tool_name": "text", "duration_ms": "double precision", "status": "text",
    "input_args": "jsonb", "output_summary": "text", "error_message": "text", "module": "text", "function": "text",
    "line": "bigint", "thread_name": "text", "process_id": "bigint", "extra_data": "jsonb",
}  # fmt: skip
"""The names in their fixed order, with PostgreSQL's types."""
OWN = dict.fromkeys(
    (
        "entry_id", "server_name", "server_version", "transport", "client_name", "client_version", "protocol_version",
        "request_id", "principal", "error_type", "trace_id", "span_id", "hostname",
        "method", "target", "client_address", "parent_span_id", "input_size", "output_size", "traceback",
    ),
    "text",
) | {"input_size": "bigint", "output_size": "bigint"}  # fmt: skip
"""The names after those, also with their types."""
NAMES = (*FIXED, *OWN)
ISO_UTC = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"


@dataclass(frozen=True)
class Seen:
    """One server's tool calls in every backend: `calls` succeeded and failed, in this order."""

    text: str
    database: Path
    kafka: KafkaTarget
    elasticsearch: ElasticsearchTarget
    postgres: PostgresTarget
    convex: ConvexTarget


@pytest.fixture(scope="module")
def seen(
    project: Project,
    kafka: Kafka,
    elasticsearch_9: Elasticsearch,
    postgres: Postgres,
    convex: Convex,
    tmp_path_factory: pytest.TempPathFactory,
) -> Seen:
    """Two tool calls of a server that logs to all four at once."""
    targets = (KafkaTarget(kafka), ElasticsearchTarget(elasticsearch_9), PostgresTarget(postgres), ConvexTarget(convex))
    settings = {"LOG_DESTINATION_TYPE": ",".join(PRODUCTION), "ENABLE_PRODUCTION_LOGGING": "true"}
    for target in targets:
        settings |= target.settings
    text = unique()
    with LineServer(project, tmp_path_factory.mktemp("seen"), **settings) as server:
        assert server.call("echo", text=text) == text
        assert "No temperature for" in server.call("temperature", city=text)
        for target in targets:
            target.wait_for(text, "output_summary")
            target.wait_for(text, "error_message")
    return Seen(text, server.database, *targets)


def test_kafka_has_one_json_object_a_record(seen: Seen) -> None:
    """The keys are the fields in their order, the time is ISO 8601 UTC; key, headers and time repeat what routes it."""
    records = [(message, json.loads(message.value() or b"")) for message in seen.kafka.messages()]
    ((message, value),) = [record for record in records if record[1]["output_summary"] == seen.text]

    assert all(tuple(entry) == NAMES for _, entry in records)
    assert all(re.fullmatch(ISO_UTC, entry["timestamp"]) for _, entry in records)
    assert b"\n" not in (message.value() or b"")
    _is_the_call(value, seen.text)
    assert message.key() == value["correlation_id"].encode()
    assert dict(message.headers() or ()) == {"entry_id": value["entry_id"].encode(), "schema_version": b"2"}
    assert message.timestamp()[1] == int(datetime.fromisoformat(value["timestamp"]).timestamp() * 1000)


def test_elasticsearch_sorts_by_timestamp(seen: Seen) -> None:
    """`_search?sort=timestamp:desc` over the daily indices gives the newest first, without a null anywhere."""
    with seen.elasticsearch.client() as client:
        reply = client.get(f"/{seen.elasticsearch.prefix}-*/_search?sort=timestamp:desc&size=100").raise_for_status()
    hits = reply.json()["hits"]["hits"]
    sources = [hit["_source"] for hit in hits]
    call = next(source for source in sources if source.get("output_summary") == seen.text)

    assert [hit["_index"] for hit in hits] == [f"{seen.elasticsearch.prefix}-{_day(source)}" for source in sources]
    assert [hit["_id"] for hit in hits] == [source["entry_id"] for source in sources]
    times = [source["timestamp"] for source in sources]
    assert times == sorted(times, reverse=True)
    assert all(re.fullmatch(ISO_UTC, time) for time in times)
    assert all(None not in source.values() for source in sources)
    for source in sources:
        assert source.pop("argument_values", []) == [*source.get("input_args", {}).values()]
    assert all(set(source) <= set(NAMES) for source in sources)
    assert "error_message" not in call
    _is_the_call(call, seen.text)


def test_postgres_has_columns_of_these_names(seen: Seen) -> None:
    """Names, order and types are those that queries and dashboards are written for."""
    query = (
        "select column_name, data_type from information_schema.columns where table_name = $1 order by ordinal_position"
    )
    columns = {name: kind for name, kind in seen.postgres.fetch(query, seen.postgres.table)}  # noqa: C416 - records
    (row,) = seen.postgres.fetch(f'select * from "{seen.postgres.table}" where output_summary = $1', seen.text)
    found = {**row, "input_args": json.loads(row["input_args"]), "timestamp": row["timestamp"].isoformat()}

    assert columns == FIXED | OWN
    assert tuple(columns) == NAMES
    assert row["timestamp"].tzinfo is not None
    _is_the_call(found, seen.text)


def test_convex_has_documents_in_camel_case(seen: Seen) -> None:
    """Names as JavaScript writes them, absent instead of null; which server it was stands in each."""
    documents = list(seen.convex.documents())
    (call,) = [document for document in documents if document.get("outputSummary") == seen.text]
    names = {camel(name): name for name in NAMES}

    assert all(set(document) <= set(names) for document in documents)
    assert all(None not in document.values() for document in documents)
    assert (call["serverName"], call["serverVersion"]) == ("my-mcp-server", "0.1.0")
    assert call["correlationId"]
    assert re.fullmatch(ISO_UTC, call["timestamp"])
    assert "errorMessage" not in call
    _is_the_call({names[name]: value for name, value in call.items()}, seen.text)


def test_sqlite_has_columns_of_these_names(seen: Seen) -> None:
    """The table is `unified_logs`, with the same names in the same order after its own key."""
    with closing(sqlite3.connect(seen.database)) as connection:
        connection.row_factory = sqlite3.Row
        (row,) = connection.execute("select * from unified_logs where output_summary = ?", (seen.text,)).fetchall()

    assert tuple(row.keys()) == ("id", *NAMES)
    assert re.fullmatch(ISO_UTC, row["timestamp"])
    _is_the_call({**row, "input_args": json.loads(row["input_args"])}, seen.text)


def test_an_entry_is_the_same_everywhere(seen: Seen) -> None:
    """One id, one time, one correlation id of a failed call, wherever one looks."""
    fields = ("error_message", "entry_id", "correlation_id", "status", "error_type")
    targets = (seen.kafka, seen.elasticsearch, seen.postgres, seen.convex)
    found = {tuple(target.find(seen.text, *fields)) for target in targets}

    assert len(found) == 1
    ((row,),) = found
    assert row[3:] == ("error", "mcp.server.mcpserver.exceptions.ToolError")


def _is_the_call(entry: dict[str, Any], text: str) -> None:
    """Check what every backend has to say about the call of `echo`."""
    expected = {
        "level": "INFO",
        "log_type": "tool_execution",
        "tool_name": "echo",
        "method": "tools/call",
        "target": "echo",
        "status": "success",
        "input_args": {"text": text},
        "output_summary": text,
        "server_name": "my-mcp-server",
        "transport": "stdio",
        "client_name": "raw",
        "client_version": "1.2",
    }
    assert {name: entry[name] for name in expected} == expected
    assert entry["duration_ms"] > 0
    assert entry["input_size"] == len(json.dumps({"text": text}, separators=(",", ":")))
    assert entry["output_size"] > len(text)
    assert isinstance(entry["process_id"], int)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(entry["timestamp"])).total_seconds()) < 3600


def _day(source: dict[str, Any]) -> str:
    return datetime.fromisoformat(source["timestamp"]).strftime("%Y.%m.%d")
