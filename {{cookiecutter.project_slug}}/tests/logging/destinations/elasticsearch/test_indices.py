"""Daily indices are created with the right mapping, upgraded, and deleted past retention."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import (
    ADDED_FIELDS,
    TEMPLATE_VERSION,
    daily_index,
    index_template,
)
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, SCHEMA_1, Stub, entries, failure

stub, destination_for = elasticsearch_helpers.stub, elasticsearch_helpers.destination_for

OLD_MAPPING = SCHEMA_1["template"]["mappings"]
FIRST_DAY = "/mcp-logs-2026.03.14/_mapping"
SECOND_DAY = "/mcp-logs-2026.03.15/_mapping"
TWO_DAYS = [make_entry(timestamp=DAY), make_entry(timestamp=DAY + timedelta(days=1))]


def mapping_reply(path: str, mapping: object) -> tuple[int, object]:
    """Return the reply to a request for the mapping of an index."""
    return 200, {path.split("/")[1]: {"mappings": mapping}}


async def test_the_template_is_created_once_before_the_first_entry(stub: Stub, destination_for: Any) -> None:
    """Not again for the next batch, even after closing."""
    destination = destination_for(stub.url)
    await destination.write_batch(entries(1))
    await destination.close()
    await destination.write_batch(entries(1))
    (put,) = stub.received("/_index_template/mcp-logs", "PUT")
    assert json.loads(put.body) == index_template("mcp-logs")
    assert stub.requests.index(put) < stub.requests.index(stub.received("/_bulk")[0])


@pytest.mark.parametrize(("newer", "puts"), [(-1, 1), (0, 0), (1, 0)])
async def test_only_an_older_template_is_replaced(stub: Stub, destination_for: Any, newer: int, puts: int) -> None:
    """One that another server of this version or a newer one has written stays unchanged."""
    known = {"index_templates": [{"name": "mcp-logs", "index_template": {"version": TEMPLATE_VERSION + newer}}]}
    stub.replies["GET /_index_template/mcp-logs"] = 200, known
    await destination_for(stub.url).open()
    assert len(stub.received("/_index_template/mcp-logs", "PUT")) == puts


@pytest.mark.parametrize(("status", "kind"), [(403, "security_exception"), (400, "illegal_argument_exception")])
async def test_each_index_is_created_with_the_mapping_if_the_template_is_rejected(
    stub: Stub, destination_for: Any, caplog: pytest.LogCaptureFixture, status: int, kind: str
) -> None:
    """Each is tried once, even if it exists or is forbidden; the missing template is logged once."""
    stub.replies["PUT /_index_template/mcp-logs"] = status, failure(kind)
    stub.replies["PUT /mcp-logs-2026.03.14"] = 400, failure("resource_already_exists_exception")
    stub.replies["PUT /mcp-logs-2026.03.15"] = 403, failure("security_exception")
    destination = destination_for(stub.url)
    batch = [make_entry(timestamp=DAY + timedelta(days=days)) for days in (0, 1, 2, 2)]
    with caplog.at_level(logging.WARNING):
        await destination.write_batch(batch)
        await destination.write_batch(batch)
    created = [request for request in stub.requests if request.method == "PUT" and request.path.startswith("/mcp-logs")]
    assert sorted(request.path for request in created) == [f"/mcp-logs-2026.03.{day}" for day in (14, 15, 16)]
    assert json.loads(created[0].body) == index_template("mcp-logs")["template"]
    assert len(stub.received("/_bulk")) == 2
    assert len(caplog.records) == 1
    assert "Each index mcp-logs-* is created without a template" in caplog.text


async def test_nothing_is_written_until_the_template_exists(stub: Stub, destination_for: Any) -> None:
    """The next attempt tries to create it again."""
    stub.replies["PUT /_index_template/mcp-logs"] = 503, failure("process_cluster_event_timeout_exception")
    destination = destination_for(stub.url)
    with pytest.raises(DeliveryError):
        await destination.write_batch(entries(1))
    assert not stub.received("/_bulk")
    del stub.replies["PUT /_index_template/mcp-logs"]
    await destination.write_batch(entries(1))
    assert len(stub.received("/_bulk")) == 1


async def test_fields_are_added_once_to_an_index_of_an_older_version(stub: Stub, destination_for: Any) -> None:
    """Before the first entry for it; an index with all fields, and one that does not exist, stay unchanged."""
    stub.replies[f"GET {FIRST_DAY}"] = mapping_reply(FIRST_DAY, OLD_MAPPING)
    stub.replies[f"GET {SECOND_DAY}"] = mapping_reply(SECOND_DAY, index_template("mcp-logs")["template"]["mappings"])
    destination = destination_for(stub.url)
    await destination.write_batch(TWO_DAYS)
    await destination.write_batch([*TWO_DAYS, make_entry(timestamp=DAY + timedelta(days=2))])
    (put,) = [request for request in stub.requests if request.method == "PUT" and request.path.endswith("/_mapping")]
    assert (put.path, json.loads(put.body)) == (FIRST_DAY, {"properties": ADDED_FIELDS})
    assert stub.requests.index(put) < stub.requests.index(stub.received("/_bulk")[0])
    assert len(stub.received(FIRST_DAY, "GET")) == 1


@pytest.mark.parametrize("denied", ["GET", "PUT"])
@pytest.mark.parametrize(("status", "kind"), [(403, "security_exception"), (400, "illegal_argument_exception")])
async def test_entries_are_written_even_if_fields_cannot_be_added(
    stub: Stub, destination_for: Any, caplog: pytest.LogCaptureFixture, denied: str, status: int, kind: str
) -> None:
    """Neither without the permission nor if the types conflict; one warning names an index and the reason."""
    for path in (FIRST_DAY, SECOND_DAY):
        stub.replies[f"GET {path}"] = mapping_reply(path, OLD_MAPPING)
        stub.replies[f"{denied} {path}"] = status, failure(kind)
    destination = destination_for(stub.url)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            await destination.write_batch(TWO_DAYS)
    assert len(stub.received("/_bulk")) == 2
    (record,) = caplog.records
    assert "may miss the new fields of entries in mcp-logs-2026.03.14" in record.getMessage()
    assert f"{status}: because" in record.getMessage()


@pytest.mark.parametrize("blocked", ["GET", "PUT"])
async def test_fields_are_added_when_a_block_of_the_metadata_ends(
    stub: Stub, destination_for: Any, caplog: pytest.LogCaptureFixture, blocked: str
) -> None:
    """Until then, entries are written, because only the metadata is blocked."""
    stub.replies[f"GET {FIRST_DAY}"] = old = mapping_reply(FIRST_DAY, OLD_MAPPING)
    stub.replies[f"PUT {FIRST_DAY}"] = 200, {}
    stub.replies[f"{blocked} {FIRST_DAY}"] = 403, failure("cluster_block_exception")
    destination = destination_for(stub.url)
    await destination.write_batch(entries(1))
    stub.replies.update({f"GET {FIRST_DAY}": old, f"PUT {FIRST_DAY}": (200, {})})
    for _ in range(2):
        await destination.write_batch(entries(1))
    assert len(stub.received("/_bulk")) == 3
    assert len(stub.received(FIRST_DAY, "PUT")) == (2 if blocked == "PUT" else 1)
    assert not caplog.records


async def test_nothing_is_written_until_the_fields_are_added(stub: Stub, destination_for: Any) -> None:
    """If the cluster is busy, the next attempt adds them."""
    stub.replies[f"GET {FIRST_DAY}"] = mapping_reply(FIRST_DAY, OLD_MAPPING)
    stub.replies[f"PUT {FIRST_DAY}"] = 503, failure("process_cluster_event_timeout_exception")
    destination = destination_for(stub.url)
    with pytest.raises(DeliveryError):
        await destination.write_batch(entries(1))
    assert not stub.received("/_bulk")
    del stub.replies[f"PUT {FIRST_DAY}"]
    await destination.write_batch(entries(1))
    assert (len(stub.received(FIRST_DAY, "PUT")), len(stub.received("/_bulk"))) == (2, 1)


async def test_indices_past_retention_are_deleted_at_most_hourly(stub: Stub, destination_for: Any) -> None:
    """Only those named exactly like the prefix and a date."""
    today = datetime.now(UTC).date()
    old, kept = (daily_index("logs", today - timedelta(days=days)) for days in (8, 7))
    foreign = ["a-2020.01.01", "2020.01", "2020.13.01", "2020.01.011", "2020-01-01", "old"]
    names = [old, kept, daily_index("logs", today), *[f"logs-{name}" for name in foreign]]
    stub.replies["GET /logs-*.*.*/_alias"] = 200, {name: {"aliases": {}} for name in names}
    destination = destination_for(stub.url, elasticsearch_index_prefix="logs", log_retention_days=7)
    await destination.write_batch(entries(1))
    await destination.write_batch(entries(1))
    assert [request.path for request in stub.requests if request.method == "DELETE"] == [f"/{old}"]
    assert len(stub.received("/logs-*.*.*/_alias", "GET")) == 1


async def test_nothing_is_deleted_without_retention(stub: Stub, destination_for: Any) -> None:
    """With 0 days, expired indices are not even searched for."""
    await destination_for(stub.url).write_batch(entries(1))
    assert {request.method for request in stub.requests} == {"GET", "PUT", "POST"}
    assert not stub.received("/mcp-logs-*.*.*/_alias", "GET")


async def test_a_batch_counts_as_written_if_deleting_old_indices_fails(
    stub: Stub, destination_for: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The failure is logged; the next attempt is an hour later."""
    stub.replies["GET /mcp-logs-*.*.*/_alias"] = 403, failure("security_exception")
    with caplog.at_level(logging.WARNING):
        await destination_for(stub.url, log_retention_days=1).write_batch(entries(1))
    assert "were not deleted" in caplog.text
