"""The proxy that the environment names for a URL.

httpx reads the same variables, but raises if one of them is malformed, and in NO_PROXY also for `[::1]`.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from ...redaction import without_login
from .settings import is_loopback

_SOCKS = ("socks5", "socks5h")
_SCHEMES = ("http", "https", *_SOCKS)
_PORTS = {"http": 80, "https": 443}
_NAME_AND_PORT = re.compile(r"(?P<name>.+?)(?::(?P<port>\d+))?")


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach a URL: through a proxy, or directly if it is None; `warning` is about a variable left aside."""

    proxy: str | None = None
    warning: str | None = None


def find_route(url: str) -> Route:
    """Return the route that the environment names; a direct one if it names none, or one that cannot be used.

    A proxy never leads to this machine.
    """
    proxies, parts = getproxies(), urlsplit(url)
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
    if kind is None or is_loopback(url) or _is_excluded(parts, proxies.get("no", "")):
        return Route()
    proxy = proxies[kind] if "://" in proxies[kind] else f"http://{proxies[kind]}"
    if problem := _problem(proxy):
        return Route(
            warning=f"{_variable(kind)} is {without_login(proxies[kind])!r}: {problem}; {url} is reached without a "
            "proxy. Valid is http://HOST:PORT, or https:// or socks5:// instead of http://"
        )
    return Route(proxy)


def _is_excluded(url: SplitResult, no_proxy: str) -> bool:
    """Return whether NO_PROXY names the host of a URL.

    Its items are hosts, which include their subdomains, addresses and networks, with or without a port, or `*`.
    """
    host, port = (url.hostname or "").lower(), url.port or _PORTS[url.scheme]
    return any(_matches(item, host, port) for item in re.split(r"[\s,]+", no_proxy.lower()) if item)


def _matches(item: str, host: str, port: int) -> bool:
    with suppress(ValueError):
        network = ipaddress.ip_network(item.strip("[]"), strict=False)
        return _is_in(host, network)
    found = _NAME_AND_PORT.fullmatch(item.partition("://")[2] or item)
    if found is None or (found["port"] and int(found["port"]) != port):
        return False
    name = found["name"].strip("[]").removeprefix("*.").removeprefix(".")
    return name in ("*", host) or (name != "" and host.endswith(f".{name}"))


def _is_in(host: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False


def _problem(proxy: str) -> str | None:
    """Return why httpx cannot use the URL of a proxy, or None."""
    try:
        parts = urlsplit(proxy)
        has_address = bool(parts.hostname) and parts.port != 0 and proxy.isprintable() and " " not in proxy
    except ValueError:
        has_address = False
    if not has_address:
        return "it is not the URL of a proxy"
    if parts.scheme not in _SCHEMES:
        return f"{parts.scheme}:// is not supported"
    if parts.scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        return f'{parts.scheme}:// needs a package: run pip install "httpx[socks]"'
    return None


def _variable(kind: str) -> str:
    """Return the name of the variable that contains the proxy: the lower-case one wins, as everywhere."""
    names = (f"{kind}_proxy", f"{kind}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), f"The system's proxy for {kind}")
