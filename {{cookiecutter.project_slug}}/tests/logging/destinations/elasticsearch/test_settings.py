"""Check the values of the Elasticsearch settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import ElasticsearchSettings
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.settings import check_settings, urls
from {{cookiecutter.project_slug}}.logging.errors import SettingError

from .elasticsearch_helpers import make_settings

if TYPE_CHECKING:
    from pathlib import Path

HOST = "http://localhost:9200"


@pytest.mark.parametrize("given", ["http://a:1, https://b", '["http://a:1", "https://b"]', ["http://a:1", "https://b"]])
def test_hosts_are_a_comma_list_a_json_list_or_a_list(given: object) -> None:
    """Each form gives the same addresses."""
    assert ElasticsearchSettings(elasticsearch_hosts=given).elasticsearch_hosts == ["http://a:1", "https://b"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost:9200", "http://localhost:9200"),
        ("LocalHost:9200", "http://LocalHost:9200"),
        ("127.0.0.2:9200", "http://127.0.0.2:9200"),
        ("[::1]:9200", "http://[::1]:9200"),
        ("es.example.org:9200", "https://es.example.org:9200"),
        ("localhost.example.org:9200", "https://localhost.example.org:9200"),
        ("10.0.0.1:9200", "https://10.0.0.1:9200"),
        ("[2001:db8::1]:9200", "https://[2001:db8::1]:9200"),
        ("https://localhost:9200", "https://localhost:9200"),
        ("http://es.example.org:9200", "http://es.example.org:9200"),
    ],
)
def test_an_address_without_a_scheme_is_http_on_this_machine_and_https_elsewhere(host: str, url: str) -> None:
    """A scheme that is given stays; a list may contain addresses of all kinds."""
    settings = ElasticsearchSettings(elasticsearch_hosts=f"{host}, http://other:1")
    check_settings(settings)
    assert urls(settings) == [url, "http://other:1"]


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("localhost", "'localhost': it must be host:port or begin with http:// or https://"),
        ("localhost:", "it must be host:port"),
        ("localhost:port", "it must be host:port"),
        ("localhost:9200/path", "it must be host:port"),
        ("localhost:70000", "it is not a valid URL"),
        ("http:9200", "it must have a host"),
        ("ftp://localhost:9200", "it must be host:port or begin with http"),
        ("http://", "it must have a host"),
        ("http://localhost", "it has no port"),
        ("http://:9200", "it must have a host"),
        ("http://localhost:port", "it is not a valid URL"),
        ("http://localhost:9200?x=1", "it must have a host and no query"),
        ("http://[::1:9200", "it is not a valid URL"),
    ],
)
def test_a_malformed_host_is_reported(host: str, problem: str) -> None:
    """The sentence names the setting, the host, the problem and a valid example."""
    with pytest.raises(SettingError, match=r"^ELASTICSEARCH_HOSTS contains .*; an example is http:") as raised:
        check_settings(make_settings(HOST, host))
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
def test_a_malformed_host_is_reported_without_its_password(host: str) -> None:
    """Even if the password is in an unusual place."""
    with pytest.raises(SettingError) as raised:
        check_settings(make_settings(host))
    assert "hunter2" not in str(raised.value)


def test_an_empty_list_of_hosts_is_reported() -> None:
    """It does not fall back to the default."""
    with pytest.raises(SettingError, match=r"^ELASTICSEARCH_HOSTS is empty"):
        check_settings(make_settings())


@pytest.mark.parametrize(
    "prefix",
    ["", "Logs", *[f"a{character}b" for character in ' \t\\/*?"<>|,#:'], "-a", "_a", "+a", ".", "..", "a" * 245],
)
def test_a_prefix_that_cannot_begin_an_index_name_is_reported(prefix: str) -> None:
    """The sentence names the setting, the value, the problem and a valid example."""
    with pytest.raises(SettingError, match=r"^ELASTICSEARCH_INDEX_PREFIX is .*: it must .*; .* mcp-logs$") as raised:
        check_settings(make_settings(HOST, elasticsearch_index_prefix=prefix))
    assert repr(prefix) in str(raised.value)


@pytest.mark.parametrize("prefix", ["mcp-logs", "audit.logs", "1", "\u0436\u0443\u0440\u043d\u0430\u043b", "a" * 244])
def test_a_valid_prefix_is_accepted(prefix: str) -> None:
    """Dots, digits and letters of any script are valid."""
    check_settings(make_settings(HOST, elasticsearch_index_prefix=prefix))


@pytest.mark.parametrize(
    ("api_key", "username", "password", "problem"),
    [
        ("hunter2", "elastic", "hunter2", "ELASTICSEARCH_API_KEY is set together with"),
        ("hunter2 hunter2", None, None, "ELASTICSEARCH_API_KEY .* invalid characters"),
        (None, "elastic", None, "ELASTICSEARCH_PASSWORD is not set"),
        (None, None, "hunter2", "ELASTICSEARCH_USERNAME is not set"),
    ],
)
def test_credentials_that_do_not_fit_together_are_reported(
    api_key: str | None, username: str | None, password: str | None, problem: str
) -> None:
    """The sentence contains no secret."""
    settings = make_settings(
        HOST,
        elasticsearch_api_key=api_key,
        elasticsearch_username=username,
        elasticsearch_password=password,
    )
    with pytest.raises(SettingError, match=problem) as raised:
        check_settings(settings)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "reason"), [("text.pem", "it contains no PEM certificate"), ("missing.pem", "No such file")]
)
def test_a_ca_file_that_cannot_be_read_is_reported(tmp_path: Path, name: str, reason: str) -> None:
    """The sentence names the setting, the file and the reason."""
    (tmp_path / "text.pem").write_text("not a certificate")
    settings = make_settings(HOST, elasticsearch_ca_certs=str(tmp_path / name))
    with pytest.raises(SettingError, match=f"^ELASTICSEARCH_CA_CERTS is .*{name}.*: {reason}"):
        check_settings(settings)


def test_a_folder_of_cas_is_accepted(tmp_path: Path) -> None:
    """OpenSSL reads it as needed."""
    check_settings(make_settings(HOST, elasticsearch_ca_certs=str(tmp_path)))
