"""What Elasticsearch's test modules share: a stub, certificates, the cluster under test, and entries.

A module takes the fixtures that it needs under their names: `stub = elasticsearch_helpers.stub`.
"""

from __future__ import annotations

import json
import os
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme
from aiohttp import web
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.correlation import new_id
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import ElasticsearchDestination

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry

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
    """Answers like Elasticsearch, unless told otherwise, and remembers what it was asked.

    An answer in bytes is a page for people. The first `busy` requests to write are answered by 503.
    """

    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    product: str = "Elasticsearch"
    busy: int = 0
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
        headers = {"X-Elastic-Product": self.product} if self.product else {}
        if isinstance(answer, bytes):
            return web.Response(body=answer, status=status, content_type="text/html", headers=headers)
        return web.json_response(answer, status=status, headers=headers)

    def _usual(self, asked: Asked) -> tuple[int, object]:
        if asked.path == "/_bulk" and len(self.of("/_bulk")) <= self.busy:
            return 503, failure("cluster_block_exception")
        if asked.path == "/_bulk":
            statuses = self.statuses or [201] * (len(asked.lines) // 2)
            return 200, bulk_reply(*statuses)
        if asked.path.startswith("/_index_template/") and asked.method == "GET":
            return 404, failure("resource_not_found_exception")
        return 200, {} if asked.path.endswith("/_alias") else {"hits": {"hits": []}, "_shards": {}}


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
