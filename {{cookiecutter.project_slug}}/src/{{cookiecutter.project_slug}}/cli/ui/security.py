"""Admit only requests with the token: at first it is in the address, then in a cookie.

The page shows what strangers wrote, so the browser is told to run and load nothing but the page's own files.
"""

from __future__ import annotations

import hmac
import secrets
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_BYTES = 32
API = "/api/"
"""How the paths begin whose answers are JSON, also those that refuse a request."""
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
WRONG_HOST = "Open this page by its IP address, as localhost, or by the name in --host."
UNAUTHORIZED = "Open the address that the command printed: it contains the token that this page needs."


def new_token() -> str:
    """Return a token of 256 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Guard:
    """Refuse requests for other hosts, from other origins, that would change something, or without the token.

    `host` is where the page is served. It may also be reached as `localhost` or by an address, whose meaning no DNS
    server can change (DNS rebinding). `cookie` is the name of the cookie that holds the token. `once` is a token that
    is accepted once.
    """

    def __init__(self, app: ASGIApp, *, token: str, host: str, cookie: str, once: str | None = None) -> None:
        self._app = app
        self._token = token
        self._once = once
        self._names = {host.lower(), "localhost"}
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":  # neither WebSockets nor events of the server are of interest
            return
        request = HTTPConnection(scope)
        in_address = _token_in_address(scope)
        is_once = self._once is not None and _is_equal(in_address, self._once)
        is_first_contact = is_once or _is_equal(in_address, self._token)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                if is_first_contact:
                    headers.append("Set-Cookie", self._set_cookie())
            await send(message)

        has_token = is_first_contact or _is_equal(request.cookies.get(self._cookie, ""), self._token)
        refusal = self._refusal(request, has_token=has_token)
        is_first_contact = is_first_contact and refusal is None
        if is_once and refusal is None:
            self._once = None
        await (refusal or self._app)(scope, receive, send_safely)

    def _refusal(self, request: HTTPConnection, *, has_token: bool) -> Response | None:
        """Return the answer to a request that is refused."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        path: str = request.scope["path"]
        if not self._is_ours(host):
            return error_response(path, WRONG_HOST, 421)
        if origin is not None and origin != f"http://{host}":
            return error_response(path, "Requests from other pages are refused.", 403)
        if request.scope["method"] not in {"GET", "HEAD"}:
            return error_response(path, "Only GET and HEAD are accepted.", 405, {"Allow": "GET, HEAD"})
        return None if has_token else error_response(path, UNAUTHORIZED, 401)

    def _is_ours(self, host: str) -> bool:
        """Return whether the value of a Host header is an address, or a name of the page."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name in self._names:
                return True
            ip_address(name)
        except ValueError:
            return False
        return True

    def _set_cookie(self) -> str:
        return f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"


def error_response(path: str, sentence: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """Return one sentence: as `error` of a JSON object for the API, as text for the page."""
    if path.startswith(API):
        return JSONResponse({"error": sentence}, status, headers)
    return PlainTextResponse(f"{sentence}\n", status, headers)


def _is_equal(text: str, token: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(text.encode(), token.encode())


def _token_in_address(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("token", [""])[0]
