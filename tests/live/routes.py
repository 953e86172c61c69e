"""Ways to live backends through proxies that do to a connection what networks do."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from tests.backends import Backend, Convex, Elasticsearch, Kafka, Postgres
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    import pytest

    from .conftest import MakeTarget
    from .targets import Target

FIXTURES = {"elasticsearch": "elasticsearch_9"}
"""The fixture of a backend that does not bear the destination's name."""


@dataclass(frozen=True)
class Route:
    """A proxy before a backend, and a target that is written to through it and read directly."""

    proxy: Proxy
    target: Target


class MakeRoute(Protocol):
    """What makes a route to the shared backend of that name."""

    def __call__(self, name: str, *, delay: float = ...) -> AbstractAsyncContextManager[Route]:
        """Return the route, which is there within the context."""


def route_maker(request: pytest.FixtureRequest, make_target: MakeTarget) -> MakeRoute:
    """Return what makes routes, all by way of the name `localhost`."""

    @asynccontextmanager
    async def make(name: str, *, delay: float = 0.2) -> AsyncIterator[Route]:
        target, backend = make_target(name), request.getfixturevalue(FIXTURES.get(name, name))
        # Clients of Kafka go on to where it tells them, so that is where its proxy has to be.
        port = request.getfixturevalue("advertised_port") if name == "kafka" else 0
        async with Proxy(_upstream(backend), port=port, delay=delay) as proxy:
            target.settings |= _settings(backend, f"localhost:{proxy.port}")
            yield Route(proxy, target)

    return make


def _upstream(backend: Backend) -> int:
    """Return the port that a proxy passes connections on to."""
    match backend:
        case Kafka():
            return backend.hidden_port
        case Postgres():
            return backend.port
        case _:
            return urlsplit(backend.address).port or 0


def _settings(backend: Backend, address: str) -> dict[str, str]:
    """Return what leads a server to another address of a backend; without TLS, so that a proxy can read along."""
    match backend:
        case Kafka():
            return {"KAFKA_BOOTSTRAP_SERVERS": address}
        case Elasticsearch():
            return {"ELASTICSEARCH_HOSTS": f"http://{address}"}
        case Postgres():
            user = f"{backend.username}:{backend.password}"
            return {"POSTGRES_DSN": f"postgresql://{user}@{address}/{backend.database}?sslmode=disable"}
        case Convex():
            return {"CONVEX_ENDPOINT_URL": f"http://{address}"}
        case _:
            raise NotImplementedError(backend)
