"""How the Elasticsearch client logs in, selects a host and verifies certificates."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.tls_variables import unusable_tls_variable
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import Certificates, Stub, entries, serving

stub, destination_for = elasticsearch_helpers.stub, elasticsearch_helpers.destination_for
certificates = elasticsearch_helpers.certificates


@pytest.mark.parametrize(
    ("values", "header"),
    [
        ({}, None),
        ({"elasticsearch_api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
        ({"elasticsearch_api_key": "id:key"}, "ApiKey aWQ6a2V5"),
        (
            {"elasticsearch_username": "elastic", "elasticsearch_password": "p\u00e4ss:word"},
            "Basic " + base64.b64encode("elastic:p\u00e4ss:word".encode()).decode(),
        ),
        ({"elasticsearch_api_key": "", "elasticsearch_username": "", "elasticsearch_ca_certs": ""}, None),
    ],
)
async def test_every_request_carries_the_credentials(
    stub: Stub, destination_for: Any, values: dict[str, str], header: str | None
) -> None:
    """An API key in either form, or basic authentication; empty settings count as unset."""
    destination = destination_for(stub.url, **values)
    await destination.write(make_entry())
    await destination.query()
    assert {request.headers.get("Authorization") for request in stub.requests} == {header}


async def test_a_login_in_an_address_is_used(stub: Stub, destination_for: Any) -> None:
    """Percent-encoded characters of the password are decoded."""
    await destination_for(stub.url.replace("//", "//elastic:p%40ss@")).write(make_entry())
    (bulk,) = stub.received("/_bulk")
    assert bulk.headers["Authorization"] == "Basic " + base64.b64encode(b"elastic:p@ss").decode()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_an_address_without_a_scheme_is_used(stub: Stub, destination_for: Any, name: str) -> None:
    """HTTP reaches this machine, HTTPS any other."""
    await destination_for(f"{name}:{urlsplit(stub.url).port}").write(make_entry())
    assert len(stub.received("/_bulk")) == 1


async def test_hosts_are_used_in_turn_and_a_dead_one_is_skipped(destination_for: Any) -> None:
    """At most the write that meets the dead host fails."""
    async with serving(Stub()) as first:
        async with serving(Stub()) as second:
            destination = destination_for(first.url, second.url)
            for entry in entries(4):
                await destination.write(entry)
            assert (len(first.received("/_bulk")), len(second.received("/_bulk"))) == (2, 2)
        written = 0
        for entry in entries(3):
            try:
                await destination.write(entry)
            except DeliveryError:
                continue
            written += 1
        assert written >= 2


async def test_a_certificate_is_verified_with_the_configured_ca(
    certificates: Certificates, destination_for: Any
) -> None:
    """With another CA, the default CAs or a wrong host name, nothing is written and the sentence names the setting."""
    async with serving(Stub(), certificates.context) as stub:
        await destination_for(stub.url, elasticsearch_ca_certs=certificates.right_ca).write(make_entry())
        for ca_certs in (certificates.wrong_ca, None):
            destination = destination_for(stub.url, elasticsearch_ca_certs=ca_certs)
            with pytest.raises(DeliveryError, match=r"certificate is not trusted \(.*\): check ELASTICSEARCH_CA_CERTS"):
                await destination.write(make_entry())
        wrong_name = stub.url.replace("127.0.0.1", "localhost")
        with pytest.raises(DeliveryError, match="Hostname mismatch"):
            await destination_for(wrong_name, elasticsearch_ca_certs=certificates.right_ca).write(make_entry())
        assert len(stub.received("/_bulk")) == 1


async def test_verification_can_be_switched_off(certificates: Certificates, destination_for: Any) -> None:
    """The driver does not warn about it."""
    async with serving(Stub(), certificates.context) as stub:
        await destination_for(stub.url, elasticsearch_verify_certs=False).write(make_entry())
        assert len(stub.received("/_bulk")) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:1"), ("HTTP_PROXY", "http://[::1"), ("NO_PROXY", "localhost,[::1]")],
)
async def test_the_variables_of_proxies_have_no_effect(
    stub: Stub, destination_for: Any, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver always connects directly."""
    monkeypatch.setenv(variable, value)
    await destination_for(stub.url).write(make_entry())
    assert len(stub.received("/_bulk")) == 1


async def test_a_file_for_tls_that_cannot_be_written_is_named(
    certificates: Certificates, destination_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries wait; a missing SSL_CERT_FILE has no effect beside ELASTICSEARCH_CA_CERTS."""
    async with serving(Stub(), certificates.context) as stub:
        destination = destination_for(stub.url, elasticsearch_ca_certs=certificates.right_ca)
        monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/keys")
        with pytest.raises(DeliveryError, match=r"^The environment variable SSLKEYLOGFILE is '/nowhere/keys': No such"):
            await destination.write(make_entry())
        monkeypatch.delenv("SSLKEYLOGFILE")
        monkeypatch.setenv("SSL_CERT_FILE", certificates.right_ca)
        assert unusable_tls_variable() is None
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
        await destination.write(make_entry())
        assert len(stub.received("/_bulk")) == 1
