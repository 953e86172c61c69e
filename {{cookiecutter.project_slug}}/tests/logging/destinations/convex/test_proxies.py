"""The proxy that the environment names: it is used where it can be, and never between entries and their deployment."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination
from {{cookiecutter.project_slug}}.logging.destinations.convex.proxies import find_route
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from .convex_helpers import SECRET, STORED, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://x.example.org"
PROXY = "http://proxy.example:3128"
ODD = [
    "socks5://127.0.0.1:1080",
    "SOCKS5://127.0.0.1:1080",
    "socks4://127.0.0.1:1080",
    "ftp://proxy",
    "http://",
    "://",
    "http://[::1",
    "http://proxy:99999",
    "http://proxy:0",
    "http://pro xy:80",
    "http://proxy:port",
    "http://pro\u2100xy",
    "proxy:port:port",
    "\n",
]
"""Values of a variable that name no proxy, or one that httpx cannot use."""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove all variables of proxies and of TLS."""
    for name in [*os.environ]:
        if name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        (PROXY, PROXY),
        ("proxy.example:3128", PROXY),
        ("https://user:p%40ss@proxy.example", "https://user:p%40ss@proxy.example"),
        ("", None),
    ],
)
def test_a_proxy_of_the_environment_is_used(
    name: str, value: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Upper and lower case, with and without a scheme; an empty variable names none."""
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTP_PROXY", "http://other.example")
    route = find_route(URL)
    assert (route.proxy, route.warning) == (proxy, None)
    assert httpx.Proxy(proxy or PROXY)


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_excluded"),
    [
        ("*", "x.example.org", True),
        ("localhost,*", "x.example.org", True),
        ("*:443", "x.example.org", True),
        ("example.org", "x.example.org", True),
        (".example.org", "x.example.org", True),
        ("*.example.org", "x.example.org", True),
        (".example.org", "example.org", True),
        ("X.Example.ORG", "x.example.org", True),
        ("ample.org", "x.example.org", False),
        ("x.example", "x.example.org", False),
        ("x.example.org:443", "x.example.org", True),
        ("x.example.org:80", "x.example.org", False),
        ("https://x.example.org", "x.example.org", True),
        ("localhost,[::1]", "x.example.org", False),
        ("localhost,[::1],[2001:db8::1]", "[2001:db8::1]", True),
        ("2001:db8::1", "[2001:db8::1]", True),
        ("[2001:db8::1]:443", "[2001:db8::1]", True),
        ("[2001:db8::1]:80", "[2001:db8::1]", False),
        ("2001:db8::/32", "[2001:db8::1]", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.1/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "x.example.org", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("a b x.example.org", "x.example.org", True),
        ("", "x.example.org", False),
        (",, ,", "x.example.org", False),
        ("[", "x.example.org", False),
        ("[]:1", "x.example.org", False),
        ("://", "x.example.org", False),
        (":443", "x.example.org", False),
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_names_hosts_addresses_and_networks(
    name: str, no_proxy: str, host: str, is_excluded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver itself raises for an address in brackets, and does not know networks."""
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv(name, no_proxy)
    assert find_route(f"https://{host}").proxy == (None if is_excluded else PROXY)


@pytest.mark.parametrize("value", ODD)
def test_an_unusable_proxy_is_left_aside_with_a_warning(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence names the variable, its value and what is valid."""
    monkeypatch.setenv("ALL_PROXY", value)
    route = find_route(URL)
    if value.lower().startswith("socks5") and importlib.util.find_spec("socksio"):
        assert route.proxy == value
        return
    assert route.proxy is None
    assert (route.warning or "").startswith(f"ALL_PROXY is {value!r}: ")
    assert f"; {URL} is reached without a proxy. Valid is http://HOST:PORT" in (route.warning or "")


def test_a_warning_does_not_show_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable with the more specific name is named."""
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("https_proxy", f"socks4://user:{SECRET}@proxy:1080")
    warning = find_route(URL).warning or ""
    assert warning.startswith("https_proxy is 'socks4://***@proxy:1080': socks4:// is not supported; ")
    assert SECRET not in warning


@pytest.mark.parametrize("url", ["http://localhost:3211", "http://127.0.0.1", "http://127.1.2.3:1", "https://[::1]:1"])
@pytest.mark.parametrize("value", [PROXY, *ODD])
def test_this_machine_is_never_reached_through_a_proxy(url: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is there a warning about a proxy that would not be used."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, value)
    route = find_route(url)
    assert (route.proxy, route.warning) == (None, None)


@pytest.mark.parametrize(
    "variables",
    [
        {"NO_PROXY": "localhost,[::1]"},
        {"NO_PROXY": "10.0.0.0/8,[::1]:80,*.internal"},
        *({"ALL_PROXY": value, "HTTP_PROXY": value} for value in ODD),
        {"SSL_CERT_FILE": "/nowhere/ca.pem"},
        {"SSL_CERT_DIR": "/nowhere"},
        {"SSLKEYLOGFILE": "/nowhere/keys"},
        {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"},
    ],
    ids=str,
)
async def test_entries_on_this_machine_arrive_whatever_the_environment_says(
    serve: Callable[..., Any],
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither proxies nor certificates have to do with plain HTTP on loopback."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stub, destination = await serve((200, STORED))
    with caplog.at_level(logging.WARNING):
        await destination.write(make_entry("hello"))
    assert [document["message"] for document in stub.documents] == ["hello"]
    assert not caplog.records


async def test_a_request_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for a tunnel to the deployment; a failure names the proxy, but not its login."""
    requests: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:{port}")
        destination = ConvexDestination(make_settings("https://x.convex.site", "key"))
        message = rf"^Convex at https://x\.convex\.site through the proxy http://\*\*\*@127\.0\.0\.1:{port} cannot be"
        with pytest.raises(DeliveryError, match=message) as caught:
            await destination.write(make_entry())
        await destination.close()
    assert requests == ["CONNECT x.convex.site:443 HTTP/1.1"]
    assert type(caught.value) is DeliveryError


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"])
async def test_entries_wait_while_a_file_for_tls_is_missing(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the variable and the path; trusting other CAs instead would be a surprise."""
    monkeypatch.setenv(variable, "/nowhere/ca.pem")
    destination = ConvexDestination(make_settings("https://[::1]:1", "key"))
    sentence = f"^The environment variable {variable} is '/nowhere/ca.pem': No such file or directory; use a "
    with pytest.raises(DeliveryError, match=sentence) as caught:
        await destination.write(make_entry())
    assert type(caught.value) is DeliveryError
    monkeypatch.delenv(variable)
    with pytest.raises(DeliveryError, match="cannot be reached"):
        await destination.write(make_entry())
    await destination.close()


def test_doctor_warns_of_an_unusable_proxy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The finding about the destination follows from what a direct connection says."""
    settings = {
        "ENABLE_LOCAL_LOGGING": "false",
        "ENABLE_PRODUCTION_LOGGING": "true",
        "LOG_DESTINATION_TYPE": "convex",
        "CONVEX_ENDPOINT_URL": "https://0.0.0.0:1",
        "CONVEX_API_KEY": SECRET,
        "HTTPS_PROXY": f"ftp://user:{SECRET}@proxy",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert out.count("warn  Convex: HTTPS_PROXY is 'ftp://***@proxy': ftp:// is not supported; ") == 1
    assert SECRET not in out
