"""Build, close and reopen the Elasticsearch destination."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from helpers import make_entry, require_backend

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import ElasticsearchDestination
from {{cookiecutter.project_slug}}.logging.errors import SettingError

from . import elasticsearch_helpers
from .elasticsearch_helpers import HOSTS, Stub, make_settings

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

stub, destination_for = elasticsearch_helpers.stub, elasticsearch_helpers.destination_for


def make_destination(unique: str) -> ElasticsearchDestination:
    """Return an unopened destination with its own indices, for the contract tests."""
    hosts = HOSTS.split(",")
    host = urlsplit(hosts[0])
    sentence = f"Elasticsearch does not answer at {HOSTS}: run `docker compose up -d`."
    require_backend(host.hostname or "", host.port or 9200, sentence)
    return ElasticsearchDestination(make_settings(*hosts, elasticsearch_index_prefix=f"contract-{unique}"))


def test_a_malformed_setting_is_reported_when_the_destination_is_built() -> None:
    """Not only when the first entry is written."""
    with pytest.raises(SettingError, match="ELASTICSEARCH_HOSTS"):
        ElasticsearchDestination.from_config(make_settings("localhost"))


def test_building_the_destination_does_not_import_the_driver(
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """The driver is imported when the destination is opened."""
    done = run(str(Path(__file__).with_name("fixtures") / "build_destination.py"))
    assert done.returncode == 0, done.stderr


async def test_a_closed_destination_can_be_closed_again_and_written_to(stub: Stub, destination_for: Any) -> None:
    """It reconnects for the next write."""
    destination = destination_for(stub.url)
    await destination.close()
    await destination.write(make_entry())
    await destination.close()
    await destination.close()
    await destination.write(make_entry())
    assert len(stub.received("/_bulk")) == 2
