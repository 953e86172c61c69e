"""Real servers for tests, from Python, Maven and npm packages alone: nothing has to be installed on the machine.

`with Kafka(folder) as kafka:` runs one for oneself, which is what a test of outages wants; the fixtures in
`plugin.py` share one of each among all tests and workers.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .backend import Backend
from .certificates import Certificates
from .convex import Convex
from .elasticsearch import Elasticsearch
from .errors import BackendError
from .kafka import Kafka
from .postgres import Postgres
from .sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendError",
    "Certificates",
    "Convex",
    "Elasticsearch",
    "Kafka",
    "Postgres",
    "Sharing",
]


class Choice(NamedTuple):
    """A backend that `python -m tests.backends` starts, and the variable that tells a project's tests its address."""

    name: str
    variable: str
    make: Callable[[Path], Backend]


# The one list to add a backend to.
BACKENDS = (
    Choice("kafka", "TEST_KAFKA_BOOTSTRAP_SERVERS", Kafka),
    Choice("elasticsearch_9", "TEST_ELASTICSEARCH_HOSTS", partial(Elasticsearch, version="9.2.0")),
    Choice("elasticsearch_8", "TEST_ELASTICSEARCH_HOSTS", partial(Elasticsearch, version="8.18.8")),
    Choice("postgres", "TEST_POSTGRES_DSN", Postgres),
    Choice("convex", "TEST_CONVEX_URL", Convex),
)
