"""How the daily indices in Elasticsearch come into being by their template, and are deleted past retention."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import (
    TEMPLATE_VERSION,
    daily_index,
    index_template,
)
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, Stub, entries, failure

stub, destination = elasticsearch_helpers.stub, elasticsearch_helpers.destination


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
