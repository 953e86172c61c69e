"""Fixtures for real servers, one of each for all tests and workers of a run.

Register them in `tests/conftest.py` by `pytest_plugins = ["tests.backends.plugin"]`. A test that stops or pauses a
server runs one of its own (`with Kafka(tmp_path) as kafka:`): these belong to all.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
from filelock import FileLock

from . import Backend, BackendError, Certificates, Convex, Elasticsearch, Kafka, Postgres, Sharing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

B = TypeVar("B", bound=Backend)

SHARING = pytest.StashKey[Sharing]()


@pytest.fixture(scope="session")
def backends(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Backends:
    """The servers that the workers of this run share."""
    folder = tmp_path_factory.getbasetemp()
    # Under pytest-xdist each worker has a folder of its own inside that of the run.
    if hasattr(pytestconfig, "workerinput"):
        folder = folder.parent
    pytestconfig.stash[SHARING] = Sharing(folder / "backends")
    return Backends(pytestconfig)


@pytest.fixture(scope="session")
def certificates(backends: Backends) -> Certificates:
    """The CA that signed the certificates of Kafka and PostgreSQL, and one that signed none."""
    folder = backends.sharing.folder
    with FileLock(folder / "certificates.lock"):
        return Certificates(folder / "certificates")


@pytest.fixture(scope="session")
def kafka(backends: Backends, certificates: Certificates) -> Kafka:
    """Apache Kafka, with a listener for each way in."""
    return backends.shared("kafka", partial(Kafka, certificates=certificates))


@pytest.fixture(scope="session")
def elasticsearch_9(backends: Backends) -> Elasticsearch:
    """Elasticsearch 9.2.0."""
    return backends.shared("elasticsearch_9", partial(Elasticsearch, version="9.2.0"))


@pytest.fixture(scope="session")
def elasticsearch_8(backends: Backends) -> Elasticsearch:
    """Elasticsearch 8.18.8."""
    return backends.shared("elasticsearch_8", partial(Elasticsearch, version="8.18.8"))


@pytest.fixture(scope="session")
def postgres(backends: Backends, certificates: Certificates) -> Postgres:
    """PostgreSQL 18, plain and TLS."""
    return backends.shared("postgres", partial(Postgres, certificates=certificates))


@pytest.fixture(scope="session")
def convex(backends: Backends) -> Convex:
    """The shipped Convex functions under `convex-test`."""
    return backends.shared("convex", Convex)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the servers here, not at the end of a fixture: to wait for other workers is no part of the last test."""
    sharing = session.config.stash.get(SHARING, None)
    if sharing is not None:
        sharing.close()


class Backends:
    """What the fixtures share: `Sharing`, with its errors and its progress shown by pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self.sharing = config.stash[SHARING]
        self._config = config

    def shared(self, name: str, make: Callable[[Path], B]) -> B:
        """Return a running backend; one that cannot start fails the tests that need it, and is never skipped."""
        try:
            with self._uncaptured():
                return self.sharing.shared(name, make)
        except BackendError as error:
            reason = str(error)
        pytest.fail(reason, pytrace=False)

    def _uncaptured(self) -> AbstractContextManager[None]:
        """Let the lines through that say why a first run takes long."""
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if capture is None:
            return nullcontext()
        uncaptured: AbstractContextManager[None] = capture.global_and_fixture_disabled()
        return uncaptured
