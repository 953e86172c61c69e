"""Shared by the Elasticsearch tests: a stub server, certificates, the cluster under test, and entries.

A module imports the fixtures it needs by assignment: `stub = elasticsearch_helpers.stub`.
"""

from __future__ import annotations

import json
import os
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme
from aiohttp import web
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.correlation import new_id
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import (
    ElasticsearchDestination,
    ElasticsearchSettings,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry

HOSTS = os.environ.get("TEST_ELASTICSEARCH_HOSTS", "http://localhost:9200")
DAY = datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)
SCHEMA_1 = json.loads((Path(__file__).with_name("fixtures") / "schema_1.json").read_text("utf-8"))
"""The index template of servers that write the first schema."""


@dataclass
class Request:
    """One request that the stub received."""

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
    """Reply like Elasticsearch and record the requests.

    `replies` overrides the reply to a method and path; bytes are sent as HTML. `statuses` are those of the items in a
    `_bulk` reply. The first `busy` requests to `_bulk` get a 503.
    """

    replies: dict[str, tuple[int, object]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    product: str = "Elasticsearch"
    busy: int = 0
    url: str = ""

    def received(self, path: str, method: str = "POST") -> list[Request]:
        """Return the requests to a path."""
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    async def handle(self, request: web.Request) -> web.Response:
        """Reply to one request."""
        body = await request.read()
        method = "POST" if request.path == "/_bulk" else request.method
        received = Request(method, request.path, dict(request.query), dict(request.headers), body)
        self.requests.append(received)
        status, reply = self.replies.get(f"{method} {request.path}") or self._default_reply(received)
        headers = {"X-Elastic-Product": self.product} if self.product else {}
        if isinstance(reply, bytes):
            return web.Response(body=reply, status=status, content_type="text/html", headers=headers)
        return web.json_response(reply, status=status, headers=headers)

    def _default_reply(self, request: Request) -> tuple[int, object]:
        if request.path == "/_bulk" and len(self.received("/_bulk")) <= self.busy:
            return 503, failure("cluster_block_exception")
        if request.path == "/_bulk":
            statuses = self.statuses or [201] * (len(request.lines) // 2)
            return 200, bulk_reply(*statuses)
        if request.path.startswith("/_index_template/") and request.method == "GET":
            return 404, failure("resource_not_found_exception")
        if request.path.endswith("/_mapping") and request.method == "GET":
            return 404, failure("index_not_found_exception")
        if request.path.endswith("/_field_caps"):
            return 200, {"indices": []}
        return 200, {} if request.path.endswith("/_alias") else {"hits": {"hits": []}, "_shards": {}}


def failure(kind: str, reason: str = "because") -> dict[str, Any]:
    """Return the body of an error reply."""
    return {"error": {"type": kind, "reason": reason, "root_cause": [{"type": kind, "reason": reason}]}}


def bulk_reply(*statuses: int, kind: str = "some_exception") -> dict[str, Any]:
    """Return a reply to `_bulk` with one item per status; `kind` is the type of the errors."""
    items: list[dict[str, Any]] = []
    for status in statuses:
        problem = {"error": {"type": kind, "reason": "because"}} if status > 299 else {}
        items.append({"create": {"status": status, **problem}})
    return {"errors": any(status > 299 for status in statuses), "items": items}


@asynccontextmanager
async def serving(stub: Stub, context: ssl.SSLContext | None = None) -> AsyncIterator[Stub]:
    """Serve a stub on a free loopback port."""
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


def make_settings(*hosts: str, **values: Any) -> ElasticsearchSettings:
    """Return settings with these hosts and values; by default, entries are kept forever."""
    return ElasticsearchSettings(**{"elasticsearch_hosts": list(hosts), "log_retention_days": 0, **values})


@pytest.fixture
async def destination_for() -> AsyncIterator[Callable[..., ElasticsearchDestination]]:
    """Return a function that builds destinations from the arguments of `make_settings`; close them at the end."""
    built: list[ElasticsearchDestination] = []

    def build(*hosts: str, **values: Any) -> ElasticsearchDestination:
        built.append(ElasticsearchDestination(make_settings(*hosts, **values)))
        return built[-1]

    yield build
    for destination in built:
        await destination.close()


def entries(count: int, **values: Any) -> list[LogEntry]:
    """Return entries that are a microsecond apart."""
    return [
        make_entry(f"message {number}", **{"timestamp": DAY + timedelta(microseconds=number), **values})
        for number in range(count)
    ]


@dataclass
class Certificates:
    """The TLS context of a server, the file of the CA that signed its certificate, and the file of another CA."""

    context: ssl.SSLContext
    right_ca: str
    wrong_ca: str


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Create two CAs and a certificate for 127.0.0.1 that is signed by the first one."""
    right, wrong = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    right.issue_cert("127.0.0.1").configure_cert(context)
    right_file, wrong_file = str(tmp_path / "right.pem"), str(tmp_path / "wrong.pem")
    right.cert_pem.write_to_path(right_file)
    wrong.cert_pem.write_to_path(wrong_file)
    return Certificates(context, right_file, wrong_file)


@dataclass
class Cluster:
    """The cluster under test, with an index prefix that no other test uses."""

    session: aiohttp.ClientSession
    url: str
    prefix: str

    async def request(self, method: str, path: str, body: object = None) -> Any:
        """Send a request without the destination and its driver; return the reply."""
        async with self.session.request(method, self.url + path, json=body) as response:
            return await response.json()

    async def indices(self) -> list[str]:
        """Return the names of the test's indices."""
        return sorted(await self.request("GET", f"/{self.prefix}*/_alias?expand_wildcards=open,closed"))

    async def count(self) -> int:
        """Return the number of documents in the test's indices."""
        await self.request("POST", f"/{self.prefix}*/_refresh")
        found = await self.request("GET", f"/{self.prefix}*/_count")
        count: int = found["count"]
        return count


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """Return the cluster; delete the indices and templates of the test at the end."""
    url = HOSTS.split(",")[0].strip()
    async with aiohttp.ClientSession() as session:
        cluster = Cluster(session, url, f"test-{new_id()}")
        try:
            await cluster.request("GET", "/_cluster/health")
        except (OSError, aiohttp.ClientError) as error:
            pytest.fail(f"Elasticsearch does not answer at {url}: run `docker compose up -d` ({error})", pytrace=False)
        yield cluster
        for index in await cluster.indices():
            await cluster.request("DELETE", f"/{index}")
        for template in (cluster.prefix, f"{cluster.prefix}-more"):
            await cluster.request("DELETE", f"/_index_template/{template}")


@pytest.fixture
def destination(cluster: Cluster, destination_for: Any) -> ElasticsearchDestination:
    """Return a destination with the prefix of the test."""
    built: ElasticsearchDestination = destination_for(cluster.url, elasticsearch_index_prefix=cluster.prefix)
    return built
