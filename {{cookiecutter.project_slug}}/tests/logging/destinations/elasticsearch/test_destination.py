"""What is particular to the Elasticsearch destination without a cluster: its settings, and when a query fails."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from helpers import make_entry, require_backend

from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import (
    ElasticsearchDestination,
    ElasticsearchSettings,
)
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError, SettingError

from . import elasticsearch_helpers
from .elasticsearch_helpers import HOSTS, Stub

if TYPE_CHECKING:
    from pathlib import Path

stub, destination = elasticsearch_helpers.stub, elasticsearch_helpers.destination


def make_destination(unique: str) -> ElasticsearchDestination:
    """Return an unopened destination with indices of its own, for the contract suite."""
    host = urlsplit(HOSTS.split(",")[0])
    sentence = f"Elasticsearch does not answer at {HOSTS}: run `docker compose up -d`."
    require_backend(host.hostname or "", host.port or 9200, sentence)
    return ElasticsearchDestination(HOSTS.split(","), index_prefix=f"contract-{unique}")


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


@pytest.mark.parametrize("moment", [None, "yesterday", 1_700_000_000_000])
async def test_a_document_without_a_time_is_no_entry(stub: Stub, destination: Any, moment: object) -> None:
    """Somebody else's ends no query, and neither takes a place from ours nor counts where some are passed over."""
    sources = [{"entry_id": "theirs", "timestamp": moment}, *(make_entry(text).to_dict() for text in "ab")]
    hits = [{"_index": "mcp-logs-2026.03.14", "_source": source, "sort": [0]} for source in sources]
    stub.answers["POST /mcp-logs-*.*.*/_search"] = 200, {"hits": {"hits": hits}, "_shards": {}}
    found = await destination(stub.url).query()
    passed_over = await destination(stub.url).query(offset=1)
    assert [[entry.message for entry in entries] for entries in (found, passed_over)] == [["a", "b"], ["b"]]


async def test_half_an_answer_to_a_query_is_none(stub: Stub, destination: Any) -> None:
    """Where an index of ours fails; one of somebody else that happens to match does not matter."""
    reply: dict[str, Any] = {"hits": {"hits": []}, "_shards": {"failed": 1}}
    stub.answers["POST /mcp-logs-*.*.*/_search"] = 200, reply
    reply["_shards"]["failures"] = [{"index": "mcp-logs-more-2026.03.14", "reason": {"reason": "because"}}]
    assert await destination(stub.url).query() == []
    reply["_shards"]["failures"] = [{"index": "mcp-logs-2026.03.14", "reason": {"reason": "because"}}]
    with pytest.raises(DeliveryError, match=r"could not search mcp-logs-2026\.03\.14: because"):
        await destination(stub.url).query()
