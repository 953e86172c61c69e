"""Elasticsearch: settings, what goes over the wire, what each answer leads to, and a cluster that finds it again."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import re
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import trustme
from aiohttp import web
from testkit import make_entry, require_backend

from {{cookiecutter.project_slug}}.logging.correlation import new_id
from {{cookiecutter.project_slug}}.logging.destinations.base import FIELD_NAMES, PACKAGE, LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import (
    ElasticsearchDestination,
    ElasticsearchSettings,
)
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch_bulk import MAX_REQUEST
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch_index import (
    IGNORE_ABOVE,
    TEMPLATE_VERSION,
    daily_index,
    index_template,
)
from {{cookiecutter.project_slug}}.logging.errors import (
    DeliveryError,
    PartialDeliveryError,
    RefusedError,
    RejectedError,
    SettingError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

HOSTS = os.environ.get("TEST_ELASTICSEARCH_HOSTS", "http://localhost:9200")
DAY = datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def lines(self) -> list[Any]:
        """The objects of a `_bulk` body."""
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Stub:
    """Answers like Elasticsearch, unless told otherwise, and remembers what it was asked."""

    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    product: str = "Elasticsearch"
    url: str = ""

    def of(self, path: str, method: str = "POST") -> list[Asked]:
        """Return the requests of one kind."""
        return [asked for asked in self.asked if (asked.method, asked.path) == (method, path)]

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        body = await request.read()
        method = "POST" if request.path == "/_bulk" else request.method
        asked = Asked(method, request.path, dict(request.query), dict(request.headers), body)
        self.asked.append(asked)
        status, answer = self.answers.get(f"{method} {request.path}", (0, None))
        if not status:
            status, answer = self._usual(asked)
        return web.json_response(answer, status=status, headers={"X-Elastic-Product": self.product})

    def _usual(self, asked: Asked) -> tuple[int, object]:
        if asked.path == "/_bulk":
            statuses = self.statuses or [201] * (len(asked.lines) // 2)
            return 200, bulk_reply(*statuses)
        if asked.path.startswith("/_index_template/") and asked.method == "GET":
            return 404, failure("resource_not_found_exception")
        return 200, {} if asked.path.endswith("/_alias") else {"hits": {"hits": []}, "_shards": {}}


def make_destination(unique: str) -> ElasticsearchDestination:
    """Return an unopened destination with indices of its own, for the contract suite."""
    host = urlsplit(HOSTS.split(",")[0])
    sentence = f"Elasticsearch does not answer at {HOSTS}: run `docker compose up -d`."
    require_backend(host.hostname or "", host.port or 9200, sentence)
    return ElasticsearchDestination(HOSTS.split(","), index_prefix=f"contract-{unique}")


def failure(kind: str, reason: str = "because") -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"type": kind, "reason": reason, "root_cause": [{"type": kind, "reason": reason}]}}


def bulk_reply(*statuses: int, kind: str = "some_exception") -> dict[str, Any]:
    """Return the reply to a `_bulk` of as many entries."""
    items: list[dict[str, Any]] = []
    for status in statuses:
        problem = {"error": {"type": kind, "reason": "because"}} if status > 299 else {}
        items.append({"create": {"status": status, **problem}})
    return {"errors": any(status > 299 for status in statuses), "items": items}


@asynccontextmanager
async def serving(stub: Stub, context: ssl.SSLContext | None = None) -> AsyncIterator[Stub]:
    """Serve a stub on a free port of this machine."""
    application = web.Application(client_max_size=2**30)
    application.router.add_route("*", "/{path:.*}", stub.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    stub.url = f"{'https' if context else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    yield stub
    await runner.cleanup()


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """Return a running stub."""
    async with serving(Stub()) as running:
        yield running


@pytest.fixture
async def destination() -> AsyncIterator[Callable[..., ElasticsearchDestination]]:
    """Return what builds destinations, which are closed at the end."""
    built: list[ElasticsearchDestination] = []

    def build(*hosts: str, **settings: Any) -> ElasticsearchDestination:
        built.append(ElasticsearchDestination(hosts, **settings))
        return built[-1]

    yield build
    for one in built:
        await one.close()


def entries(count: int, **values: Any) -> list[LogEntry]:
    """Return entries a microsecond apart."""
    return [
        make_entry(f"message {number}", **{"timestamp": DAY + timedelta(microseconds=number), **values})
        for number in range(count)
    ]


# Settings


@pytest.mark.parametrize("given", ["http://a:1, https://b", '["http://a:1", "https://b"]', ["http://a:1", "https://b"]])
def test_hosts_are_a_comma_list_json_or_a_list(given: object) -> None:
    """Each form gives the same addresses."""
    assert ElasticsearchSettings(elasticsearch_hosts=given).elasticsearch_hosts == ["http://a:1", "https://b"]


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("localhost:9200", "'localhost:9200', which needs its scheme"),
        ("localhost", "needs its scheme"),
        ("ftp://localhost:9200", "needs its scheme"),
        ("http://", "needs its scheme"),
        ("http://localhost", "needs its port"),
        ("http://:9200", "is no address"),
        ("http://localhost:port", "is no address"),
        ("http://localhost:9200?x=1", "is no address"),
        ("http://[::1:9200", "is no address"),
    ],
)
def test_a_malformed_host_is_named_in_one_sentence(host: str, problem: str) -> None:
    """The sentence holds the setting, the value and what is valid."""
    with pytest.raises(SettingError, match=r"^ELASTICSEARCH_HOSTS holds .*; valid is http://localhost:9200$") as raised:
        ElasticsearchDestination(["http://localhost:9200", host])
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    "host",
    [
        "elastic:hunter2@localhost:9200",
        "ftp://elastic:hunter2@localhost:9200",
        "http://elastic:hunter2@localhost",
        "http://elastic:hunt@hunter2@localhost:port",
        "http://elastic:hunter2",
        "http://elastic:x/hunter2@localhost:9200",
        "http://elastic:x?hunter2@localhost:9200",
    ],
)
def test_a_malformed_host_never_shows_its_password(host: str) -> None:
    """Also where it is not where a password belongs."""
    with pytest.raises(SettingError) as raised:
        ElasticsearchDestination([host])
    assert "hunter2" not in str(raised.value)


def test_no_host_at_all_is_named() -> None:
    """An empty list is no default."""
    with pytest.raises(SettingError, match=r"^ELASTICSEARCH_HOSTS is empty"):
        ElasticsearchDestination([])


@pytest.mark.parametrize(
    "prefix",
    ["", "Logs", *[f"a{character}b" for character in ' \t\\/*?"<>|,#:'], "-a", "_a", "+a", ".", "..", "a" * 245],
)
def test_a_prefix_that_cannot_name_an_index_is_refused(prefix: str) -> None:
    """The sentence holds the setting, the value and what is valid."""
    with pytest.raises(SettingError, match=r"^ELASTICSEARCH_INDEX_PREFIX is .*: valid is .* mcp-logs$") as raised:
        ElasticsearchDestination(["http://localhost:9200"], index_prefix=prefix)
    assert repr(prefix) in str(raised.value)


@pytest.mark.parametrize("prefix", ["mcp-logs", "audit.logs", "1", "\u0436\u0443\u0440\u043d\u0430\u043b", "a" * 244])
def test_a_prefix_that_names_an_index_is_taken(prefix: str) -> None:
    """Dots, digits and letters of any script are."""
    assert ElasticsearchDestination(["http://localhost:9200"], index_prefix=prefix).index_prefix == prefix


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"api_key": "hunter2", "username": "elastic", "password": "hunter2"}, "ELASTICSEARCH_API_KEY"),
        ({"api_key": "hunter2 hunter2"}, "ELASTICSEARCH_API_KEY"),
        ({"username": "elastic"}, "ELASTICSEARCH_PASSWORD is not set"),
        ({"password": "hunter2"}, "ELASTICSEARCH_USERNAME is not set"),
    ],
)
def test_credentials_that_do_not_go_together_are_named_and_not_shown(values: dict[str, str], name: str) -> None:
    """The sentence holds no secret."""
    with pytest.raises(SettingError, match=name) as raised:
        ElasticsearchDestination(["http://localhost:9200"], **values)
    assert "hunter2" not in str(raised.value)


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """A file that is not there, and one that holds no certificate."""
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    for path, reason in ((wrong, "no PEM certificate"), (tmp_path / "absent.pem", "No such file")):
        with pytest.raises(SettingError, match=f"^ELASTICSEARCH_CA_CERTS is .*{path.name}.*{reason}"):
            ElasticsearchDestination(["https://localhost:9200"], ca_certs=str(path))


def test_building_it_imports_no_driver() -> None:
    """The driver is imported when the destination is opened."""
    program = (
        f"import sys; from {PACKAGE}.logging.destinations.elasticsearch import *; "
        "ElasticsearchDestination.from_config(ElasticsearchSettings()); "
        "sys.exit('elasticsearch' in sys.modules or 'aiohttp' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


# What goes over the wire


@pytest.mark.parametrize(
    ("values", "header"),
    [
        ({}, None),
        ({"elasticsearch_api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
        ({"elasticsearch_api_key": "id:key"}, "ApiKey aWQ6a2V5"),
        (
            {"elasticsearch_username": "elastic", "elasticsearch_password": "p\u00e4ss:word"},
            "Basic " + base64.b64encode("elastic:p\u00e4ss:word".encode()).decode(),
        ),
        ({"elasticsearch_api_key": "", "elasticsearch_username": "", "elasticsearch_ca_certs": ""}, None),
    ],
)
async def test_credentials_are_sent_with_every_request(stub: Stub, values: dict[str, str], header: str | None) -> None:
    """An API key in both of its forms, and basic authentication; what is empty is unset."""
    built = ElasticsearchDestination.from_config(ElasticsearchSettings(elasticsearch_hosts=[stub.url], **values))
    await built.write(make_entry())
    await built.query()
    await built.close()
    assert {asked.headers.get("Authorization") for asked in stub.asked} == {header}


async def test_a_password_in_an_address_is_sent_and_decoded(stub: Stub, destination: Any) -> None:
    """Percent signs stand for what an address cannot hold."""
    await destination(stub.url.replace("//", "//elastic:p%40ss@")).write(make_entry())
    assert stub.of("/_bulk")[0].headers["Authorization"] == "Basic " + base64.b64encode(b"elastic:p@ss").decode()


async def test_a_batch_is_one_request_of_ndjson(stub: Stub, destination: Any) -> None:
    """Each entry is created under its own id, in the index of its own UTC date."""
    batch = [
        make_entry("a", timestamp=DAY, entry_id='id "1"'),
        make_entry("b", timestamp=datetime(2025, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))),
    ]
    await destination(stub.url, index_prefix="logs").write_batch(batch)
    (bulk,) = stub.of("/_bulk")
    assert bulk.query == {"filter_path": "errors,items.*.status,items.*.error"}
    assert bulk.lines[0] == {"create": {"_index": "logs-2026.03.14", "_id": 'id "1"'}}
    assert bulk.lines[2] == {"create": {"_index": "logs-2024.12.31", "_id": batch[1].entry_id}}
    assert bulk.lines[1]["timestamp"] == "2026-03-14T15:09:26.535897+00:00"
    assert bulk.lines[3]["timestamp"] == "2024-12-31T22:30:00+00:00"


async def test_what_is_none_is_absent_and_the_rest_keeps_its_name(stub: Stub, destination: Any) -> None:
    """A document reads back as the entry it was."""
    full = LogEntry(**{name: f"value of {name}" for name in FIELD_NAMES})
    full.timestamp, full.input_args, full.line = DAY, {"none": None}, 7
    bare = make_entry(timestamp=DAY)
    await destination(stub.url).write_batch([full, bare])
    documents = stub.of("/_bulk")[0].lines[1::2]
    assert set(documents[0]) == set(FIELD_NAMES)
    assert set(documents[1]) == {name for name in FIELD_NAMES if getattr(bare, name) is not None}
    assert [LogEntry.from_dict(document) for document in documents] == [full, bare]


async def test_odd_values_of_an_entry_become_text_and_lose_no_other_field(stub: Stub, destination: Any) -> None:
    """Also where the fast encoder refuses the whole entry."""
    odd = make_entry("lone \ud800", timestamp=DAY, extra_data={"set": {1}, (1, 2): 2**80}, hostname="here")
    await destination(stub.url).write(odd)
    document = stub.of("/_bulk")[0].lines[1]
    assert document["message"] == "lone \\ud800"
    assert document["extra_data"] == {"set": [1], "(1, 2)": str(2**80)}
    assert document["timestamp"] == DAY.isoformat()
    assert (document["entry_id"], document["hostname"]) == (odd.entry_id, "here")


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_large_batch_is_several_requests(stub: Stub, destination: Any) -> None:
    """None is larger than the bound unless it holds a single entry, and no entry is missing."""
    batch = [*entries(300, output_summary="x" * 10_000), make_entry("y" * 2 * MAX_REQUEST), *entries(1)]
    await destination(stub.url).write_batch(batch)
    bulks = stub.of("/_bulk")
    assert all(len(bulk.body) <= MAX_REQUEST or len(bulk.lines) == 2 for bulk in bulks)
    assert [line["create"]["_id"] for bulk in bulks for line in bulk.lines[::2]] == [entry.entry_id for entry in batch]


async def test_hosts_are_used_in_turn_and_a_dead_one_is_left_out(destination: Any) -> None:
    """The entry that met the dead host is the caller's to write again."""
    async with serving(Stub()) as first:
        async with serving(Stub()) as second:
            both = destination(first.url, second.url)
            for entry in entries(4):
                await both.write(entry)
            assert (len(first.of("/_bulk")), len(second.of("/_bulk"))) == (2, 2)
        written = 0
        for entry in entries(3):
            try:
                await both.write(entry)
            except DeliveryError:
                continue
            written += 1
        assert written >= 2


# What answers lead to


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RejectedError),
        (401, RefusedError),
        (403, RefusedError),
        (404, DeliveryError),
        (413, RejectedError),
        (429, DeliveryError),
        (500, DeliveryError),
        (502, DeliveryError),
        (503, DeliveryError),
    ],
)
async def test_a_refused_request_is_said_in_one_sentence_and_sent_once(
    stub: Stub, destination: Any, status: int, error: type[Exception]
) -> None:
    """The client's own retries are off: the wrapper retries what is worth it."""
    stub.answers["POST /_bulk"] = status, failure("some_exception")
    with pytest.raises(DeliveryError) as raised:
        await destination(stub.url).write(make_entry())
    assert type(raised.value) is error
    assert str(status) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(stub.of("/_bulk")) == 1


@pytest.mark.parametrize("answer", [{}, [], {"errors": True}, {"errors": True, "items": []}, "garbage"])
async def test_garbage_is_no_delivery(stub: Stub, destination: Any, answer: object) -> None:
    """It is passing trouble: the batch comes again."""
    stub.answers["POST /_bulk"] = 200, answer
    with pytest.raises(Exception) as raised:  # noqa: PT011 - any that is tried again
        await destination(stub.url).write(make_entry())
    assert not isinstance(raised.value, RefusedError | RejectedError | PartialDeliveryError)


async def test_each_entry_has_an_outcome_of_its_own(stub: Stub, destination: Any) -> None:
    """Taken and known ones are done, busy ones come again, the refused ones are given up."""
    stub.statuses = [201, 409, 429, 503, 400, 403]
    batch = entries(6)
    with pytest.raises(PartialDeliveryError, match=r"4 of 6 entries: 429 some_exception: because") as raised:
        await destination(stub.url).write_batch(batch)
    assert raised.value.again == batch[2:4]
    assert raised.value.rejected == batch[4:]


async def test_entries_that_are_known_already_are_delivered(stub: Stub, destination: Any) -> None:
    """What was written before an unknown outcome is answered by 409."""
    stub.statuses = [409, 409]
    await destination(stub.url).write_batch(entries(2))


async def test_an_empty_batch_asks_for_nothing(stub: Stub, destination: Any) -> None:
    """And is delivered."""
    await destination(stub.url).write_batch([])
    assert not stub.of("/_bulk")


async def test_a_batch_that_is_not_at_fault_is_not_given_up(stub: Stub, destination: Any) -> None:
    """Where nothing may be written we are refused; where no index can be made the batch waits."""
    stub.answers["POST /_bulk"] = 200, bulk_reply(403, 403, kind="security_exception")
    with pytest.raises(RefusedError, match="403 security_exception: because"):
        await destination(stub.url).write_batch(entries(2))
    stub.answers["POST /_bulk"] = 200, bulk_reply(400, 400, kind="validation_exception")
    with pytest.raises(DeliveryError) as raised:
        await destination(stub.url).write_batch(entries(2))
    assert type(raised.value) is DeliveryError


async def test_an_entry_without_a_time_is_rejected(stub: Stub, destination: Any) -> None:
    """The wrappers isolate it."""
    with pytest.raises(RejectedError, match="timestamp"):
        await destination(stub.url).write(make_entry(timestamp="yesterday"))


async def test_half_an_answer_to_a_query_is_none(stub: Stub, destination: Any) -> None:
    """Where an index of ours fails; one of somebody else that happens to match does not matter."""
    reply: dict[str, Any] = {"hits": {"hits": []}, "_shards": {"failed": 1}}
    stub.answers["POST /mcp-logs-*.*.*/_search"] = 200, reply
    reply["_shards"]["failures"] = [{"index": "mcp-logs-more-2026.03.14", "reason": {"reason": "because"}}]
    assert await destination(stub.url).query() == []
    reply["_shards"]["failures"] = [{"index": "mcp-logs-2026.03.14", "reason": {"reason": "because"}}]
    with pytest.raises(DeliveryError, match=r"could not search mcp-logs-2026\.03\.14: because"):
        await destination(stub.url).query()


async def test_something_else_at_the_address_is_said(stub: Stub, destination: Any) -> None:
    """A server that calls itself otherwise is no Elasticsearch."""
    stub.product = "OpenSearch"
    stub.answers["GET /_index_template/mcp-logs"] = 200, {}
    with pytest.raises(RefusedError, match=r"^What answers at ELASTICSEARCH_HOSTS is not Elasticsearch$"):
        await destination(stub.url).open()


async def test_a_cluster_older_than_the_client_is_said_with_what_to_install(stub: Stub, destination: Any) -> None:
    """Its answer to the media type of a newer major."""
    stub.answers["GET /_index_template/mcp-logs"] = 400, failure("media_type_header_exception")
    with pytest.raises(RefusedError, match=r"cannot talk to this older cluster: run pip install 'elasticsearch\["):
        await destination(stub.url).open()


async def test_nobody_at_the_address_is_said_without_its_password(destination: Any) -> None:
    """And is passing trouble."""
    async with serving(Stub()) as gone:
        pass
    with pytest.raises(DeliveryError, match=r"^Elasticsearch cannot be reached: .*127\.0\.0\.1") as raised:
        await destination(gone.url.replace("//", "//elastic:hunter2@")).write(make_entry())
    assert type(raised.value) is DeliveryError
    assert "hunter2" not in f"{raised.value!r} {raised.value.__cause__!r}"


async def test_closing_twice_and_writing_again_both_work(stub: Stub, destination: Any) -> None:
    """A closed destination connects again when it has to."""
    built = destination(stub.url)
    await built.close()
    await built.write(make_entry())
    await built.close()
    await built.close()
    await built.write(make_entry())
    assert len(stub.of("/_bulk")) == 2


# The template


async def test_the_template_is_put_once_and_before_the_first_entry(stub: Stub, destination: Any) -> None:
    """Not again for each batch, nor after closing."""
    built = destination(stub.url)
    await built.write_batch(entries(1))
    await built.close()
    await built.write_batch(entries(1))
    (put,) = stub.of("/_index_template/mcp-logs", "PUT")
    assert json.loads(put.body) == index_template("mcp-logs")
    assert stub.asked.index(put) < stub.asked.index(stub.of("/_bulk")[0])


@pytest.mark.parametrize(("newer", "puts"), [(-1, 1), (0, 0), (1, 0)])
async def test_a_template_of_this_version_is_left_alone(stub: Stub, destination: Any, newer: int, puts: int) -> None:
    """What an administrator changed in it stays; an older one is replaced."""
    known = {"index_templates": [{"name": "mcp-logs", "index_template": {"version": TEMPLATE_VERSION + newer}}]}
    stub.answers["GET /_index_template/mcp-logs"] = 200, known
    await destination(stub.url).open()
    assert len(stub.of("/_index_template/mcp-logs", "PUT")) == puts


@pytest.mark.parametrize(("status", "kind"), [(403, "security_exception"), (400, "illegal_argument_exception")])
async def test_without_the_right_to_make_the_template_each_index_is_made(
    stub: Stub, destination: Any, caplog: pytest.LogCaptureFixture, status: int, kind: str
) -> None:
    """Once, also where it is there already or may not be made; that there is no template is said once."""
    stub.answers["PUT /_index_template/mcp-logs"] = status, failure(kind)
    stub.answers["PUT /mcp-logs-2026.03.14"] = 400, failure("resource_already_exists_exception")
    stub.answers["PUT /mcp-logs-2026.03.15"] = 403, failure("security_exception")
    built = destination(stub.url)
    batch = [make_entry(timestamp=DAY + timedelta(days=days)) for days in (0, 1, 2, 2)]
    with caplog.at_level(logging.WARNING):
        await built.write_batch(batch)
        await built.write_batch(batch)
    made = [asked for asked in stub.asked if asked.method == "PUT" and asked.path.startswith("/mcp-logs")]
    assert sorted(asked.path for asked in made) == [f"/mcp-logs-2026.03.{day}" for day in (14, 15, 16)]
    assert json.loads(made[0].body) == index_template("mcp-logs")["template"]
    assert len(stub.of("/_bulk")) == 2
    assert len(caplog.records) == 1
    assert "without a template" in caplog.text


async def test_nothing_is_written_before_the_template_is_settled(stub: Stub, destination: Any) -> None:
    """A busy cluster is asked again with the next attempt."""
    stub.answers["PUT /_index_template/mcp-logs"] = 503, failure("process_cluster_event_timeout_exception")
    built = destination(stub.url)
    with pytest.raises(DeliveryError):
        await built.write_batch(entries(1))
    assert not stub.of("/_bulk")
    del stub.answers["PUT /_index_template/mcp-logs"]
    await built.write_batch(entries(1))
    assert len(stub.of("/_bulk")) == 1


def test_the_template_of_a_longer_prefix_wins() -> None:
    """Templates of two projects never have the same priority where both match."""
    assert index_template("mcp-logs")["priority"] > index_template("mcp")["priority"]


# Retention


async def test_whole_days_past_retention_are_deleted_hourly_at_most(stub: Stub, destination: Any) -> None:
    """Only those whose name is exactly the prefix and a date."""
    today = datetime.now(UTC).date()
    old, kept = (daily_index("logs", today - timedelta(days=days)) for days in (8, 7))
    foreign = ["a-2020.01.01", "2020.01", "2020.13.01", "2020.01.011", "2020-01-01", "old"]
    names = [old, kept, daily_index("logs", today), *[f"logs-{name}" for name in foreign]]
    stub.answers["GET /logs-*.*.*/_alias"] = 200, {name: {"aliases": {}} for name in names}
    built = destination(stub.url, index_prefix="logs", retention_days=7)
    await built.write_batch(entries(1))
    await built.write_batch(entries(1))
    assert [asked.path for asked in stub.asked if asked.method == "DELETE"] == [f"/{old}"]
    assert len(stub.of("/logs-*.*.*/_alias", "GET")) == 1


async def test_without_retention_nothing_is_looked_for(stub: Stub, destination: Any) -> None:
    """Zero days keep everything."""
    await destination(stub.url).write_batch(entries(1))
    assert {asked.method for asked in stub.asked} == {"GET", "PUT", "POST"}
    assert not stub.of("/mcp-logs-*.*.*/_alias", "GET")


async def test_a_retention_that_fails_fails_no_delivery(
    stub: Stub, destination: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, and tried again an hour later."""
    stub.answers["GET /mcp-logs-*.*.*/_alias"] = 403, failure("security_exception")
    with caplog.at_level(logging.WARNING):
        await destination(stub.url, retention_days=1).write_batch(entries(1))
    assert "are not deleted" in caplog.text


# TLS


@dataclass
class Certificates:
    """A server's TLS context, and the files of the authority that signed for it and of another one."""

    context: ssl.SSLContext
    right: str
    wrong: str


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Make two authorities, one of which signs for this machine."""
    right, wrong = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    right.issue_cert("127.0.0.1").configure_cert(context)
    paths = [tmp_path / "right.pem", tmp_path / "wrong.pem"]
    for authority, path in zip((right, wrong), paths, strict=True):
        authority.cert_pem.write_to_path(path)
    return Certificates(context, *map(str, paths))


async def test_tls_is_verified_against_the_configured_authority(certificates: Certificates, destination: Any) -> None:
    """The right one delivers, the wrong one and the default ones give one sentence that names the setting."""
    async with serving(Stub(), certificates.context) as stub:
        await destination(stub.url, ca_certs=certificates.right).write(make_entry())
        for authority in (certificates.wrong, None):
            with pytest.raises(DeliveryError, match=r"certificate is not trusted \(.*\), check ELASTICSEARCH_CA_CERTS"):
                await destination(stub.url, ca_certs=authority).write(make_entry())
        local = stub.url.replace("127.0.0.1", "localhost")
        with pytest.raises(DeliveryError, match="Hostname mismatch"):
            await destination(local, ca_certs=certificates.right).write(make_entry())
        assert len(stub.of("/_bulk")) == 1


async def test_verification_can_be_switched_off(certificates: Certificates, destination: Any) -> None:
    """Without a warning in each request."""
    async with serving(Stub(), certificates.context) as stub:
        await destination(stub.url, verify_certs=False).write(make_entry())
        assert len(stub.of("/_bulk")) == 1


# A real cluster


@dataclass
class Cluster:
    """The cluster under test, and an index prefix that no other test uses."""

    session: aiohttp.ClientSession
    url: str
    prefix: str

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the cluster without the destination and its driver."""
        async with self.session.request(method, self.url + path, json=body) as response:
            return await response.json()

    async def indices(self) -> list[str]:
        """Return the names of the test's indices."""
        return sorted(await self.ask("GET", f"/{self.prefix}*/_alias?expand_wildcards=open,closed"))

    async def count(self) -> int:
        """Return how many documents there are."""
        await self.ask("POST", f"/{self.prefix}*/_refresh")
        found = await self.ask("GET", f"/{self.prefix}*/_count")
        count: int = found["count"]
        return count


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """Return the cluster, without what a test left there."""
    url = HOSTS.split(",")[0].strip()
    async with aiohttp.ClientSession() as session:
        cluster = Cluster(session, url, f"test-{new_id()}")
        try:
            await cluster.ask("GET", "/_cluster/health")
        except (OSError, aiohttp.ClientError) as error:
            pytest.fail(f"No Elasticsearch answers at {url}, run docker compose up -d ({error})", pytrace=False)
        yield cluster
        for index in await cluster.indices():
            await cluster.ask("DELETE", f"/{index}")
        for template in (cluster.prefix, f"{cluster.prefix}-more"):
            await cluster.ask("DELETE", f"/_index_template/{template}")


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
async def test_many_first_writes_at_once_make_one_template(cluster: Cluster, destination: Any) -> None:
    """Each of several processes has its entries delivered."""
    racing = [destination(cluster.url, index_prefix=cluster.prefix) for _ in range(8)]
    await asyncio.gather(*[one.write_batch(entries(10)) for one in racing])
    assert await cluster.count() == 80
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
    assert (raised.value.again, raised.value.rejected) == ([], [batch[123]])
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
