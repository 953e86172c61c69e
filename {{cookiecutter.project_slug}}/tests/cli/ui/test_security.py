"""Only the holder of the token gets in, only from the page itself, and only to look."""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING

import pytest
from fake_destinations import MemoryDestination

from {{cookiecutter.project_slug}}.cli.ui.security import SECURITY_HEADERS, UNAUTHORIZED, WRONG_HOST, new_token

from .ui_helpers import COOKIE, HOST, ONCE, TOKEN, app_of, ask

if TYPE_CHECKING:
    from .ui_helpers import Answer

PATHS = ["/", "/static/main.js", "/nothing", "/api/entries", "/api/stream", "/api/nothing"]


def assert_has_security_headers(answer: Answer) -> None:
    """Check that the browser is told to run and load nothing but the page's own files."""
    assert {name: answer.header(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_token_has_256_bits_and_is_new_each_time() -> None:
    """It can be part of an address as it is."""
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(base64.urlsafe_b64decode(f"{token}=")) for token in tokens} == {32}


@pytest.mark.parametrize("path", PATHS)
async def test_without_the_token_nothing_is_shown(path: str) -> None:
    """The sentence says where the token is; the API's answer is JSON."""
    answer = await ask(app_of(), path, has_token=False)
    assert answer.status == 401
    if path.startswith("/api/"):
        assert answer.json() == {"error": UNAUTHORIZED}
    else:
        assert answer.body.decode() == f"{UNAUTHORIZED}\n"
    assert_has_security_headers(answer)


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "\u00e9", "%ff"])
async def test_a_wrong_token_is_refused(token: str) -> None:
    """In the address and in the cookie; no cookie is set."""
    in_address = await ask(app_of(), f"/?token={token}", has_token=False)
    in_cookie = await ask(app_of(), "/", has_token=False, cookie=f"{COOKIE}={token}")
    assert (in_address.status, in_cookie.status) == (401, 401)
    assert in_address.header("set-cookie") == in_cookie.header("set-cookie") == ""


async def test_the_token_moves_from_the_address_into_a_cookie() -> None:
    """Scripts cannot read it, and other sites cannot use it; the cookie alone is enough afterwards."""
    app = app_of()
    first = await ask(app, f"/?token={TOKEN}", has_token=False)
    assert first.status == 200
    assert first.header("set-cookie") == f"{COOKIE}={TOKEN}; HttpOnly; SameSite=Strict; Path=/"
    second = await ask(app, "/", has_token=False, cookie=first.header("set-cookie").partition(";")[0])
    assert (second.status, second.header("set-cookie")) == (200, "")


async def test_the_token_of_the_browsers_command_line_works_once() -> None:
    """It is exchanged for the cookie; a request that is refused for another reason does not use it up."""
    app = app_of()
    assert (await ask(app, f"/?token={ONCE}", has_token=False, host="evil.example")).status == 421
    assert (await ask(app, "/", has_token=False, cookie=f"{COOKIE}={ONCE}")).status == 401
    first = await ask(app, f"/?token={ONCE}", has_token=False)
    assert (first.status, first.header("set-cookie")) == (200, f"{COOKIE}={TOKEN}; HttpOnly; SameSite=Strict; Path=/")
    second = await ask(app, f"/?token={ONCE}", has_token=False)
    assert (second.status, second.header("set-cookie")) == (401, "")
    again = await ask(app, f"/?token={ONCE}", has_token=False, cookie=f"{COOKIE}={TOKEN}")
    assert (again.status, again.header("set-cookie")) == (200, "")
    assert (await ask(app, f"/?token={TOKEN}", has_token=False)).status == 200


async def test_pages_on_two_ports_do_not_share_a_cookie() -> None:
    """Browsers send the cookies of all ports of a host."""
    one, other = app_of(cookie="page-1"), app_of(cookie="page-2")
    both = f"page-1={TOKEN}; page-2=other"
    assert (await ask(one, "/", has_token=False, cookie=both)).status == 200
    assert (await ask(other, "/", has_token=False, cookie=both)).status == 401


@pytest.mark.parametrize("other", ['prefs={"a": [1, 2]}', "a b=c", "=", "x", "caf\u00e9=\u00fc", 'q="'])
async def test_a_cookie_of_another_program_does_not_hide_ours(other: str) -> None:
    """Whatever else was served on this machine may have left some."""
    for cookies in (f"{other}; {COOKIE}={TOKEN}", f"{COOKIE}={TOKEN}; {other}"):
        assert (await ask(app_of(), "/", has_token=False, cookie=cookies)).status == 200


@pytest.mark.parametrize("host", [HOST, "localhost:8123", "LOCALHOST", "[::1]:8123", "192.168.0.7:9", "127.0.0.1"])
async def test_the_page_is_reached_by_an_address_or_as_localhost(host: str) -> None:
    """The port may be another one, as that of a container is."""
    assert (await ask(app_of(), "/", host=host)).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8123", "127.0.0.1.evil.example", "localhost.evil.example", "", "[", "a@b"]
)
async def test_a_name_that_others_can_point_here_is_refused(host: str) -> None:
    """DNS rebinding: a site makes its own name mean this machine. The token does not help, and no cookie is set."""
    for path in ("/", "/api/entries"):
        answer = await ask(app_of(), f"{path}?token={TOKEN}", host=host)
        assert (answer.status, answer.header("set-cookie")) == (421, "")
        assert WRONG_HOST in answer.body.decode()
        assert_has_security_headers(answer)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (f"http://{HOST}", 200),
        (f"https://{HOST}", 403),
        ("http://127.0.0.1:9999", 403),
        ("http://localhost:8123", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_only_the_page_itself_may_ask(origin: str, status: int) -> None:
    """Requests of other pages are refused, even with the token."""
    answer = await ask(app_of(), "/api/entries", origin=origin)
    assert answer.status == status
    assert_has_security_headers(answer)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_nothing_can_be_changed(method: str) -> None:
    """Only GET and HEAD are answered, with or without the token."""
    for has_token in (True, False):
        answer = await ask(app_of(), "/api/entries", method, has_token=has_token)
        assert (answer.status, answer.header("allow")) == (405, "GET, HEAD")
        assert answer.json() == {"error": "Only GET and HEAD are accepted."}
        assert_has_security_headers(answer)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/static/style.css", 200),
        ("/api/entries", 200),
        ("/api/export", 200),
        ("/api/entries?limit=0", 400),
        ("/nothing", 404),
        ("/static/nothing.js", 404),
        ("/api/nothing", 404),
        ("/api/entries/nothing", 404),
    ],
)
async def test_every_answer_has_the_security_headers(path: str, status: int) -> None:
    """Whatever its status is; HEAD has the same head and no body."""
    answer, head = await ask(app_of(), path), await ask(app_of(), path, "HEAD")
    assert (answer.status, head.status) == (status, status)
    assert answer.header("content-type") == head.header("content-type") != ""
    assert_has_security_headers(answer)
    assert_has_security_headers(head)
    if path.startswith("/api/") and status >= 400:
        assert answer.json()["error"]


async def test_a_failure_of_ours_is_one_sentence_without_its_details() -> None:
    """The traceback is raised for the server, which prints it to the terminal, but it is not in the answer."""

    class Nameless(MemoryDestination):
        @property
        def name(self) -> str:
            msg = "a-detail"
            raise KeyError(msg)

    answer = await ask(app_of(Nameless()), "/api/about")
    assert answer.status == 500
    assert answer.json() == {"error": "The page has failed (KeyError); the terminal of its command shows why."}
    assert isinstance(answer.error, KeyError)
    assert_has_security_headers(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2f%2e%2e%2f__init__.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..%5capp.py",
        "/static/%00",
        "/static/main.js%00.css",
        "/../app.py",
    ],
)
async def test_only_the_files_of_the_page_are_served(path: str) -> None:
    """No path leads out of their folder."""
    answer = await ask(app_of(), path)
    assert answer.status == 404
    assert_has_security_headers(answer)


async def test_nothing_but_http_is_answered() -> None:
    """A WebSocket would not be checked."""
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    await app_of()({"type": "websocket", "path": "/api/stream", "headers": []}, receive, send)
    assert sent == []


async def test_the_token_is_in_no_log_line_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Not even if the request with the token fails."""
    caplog.set_level(logging.DEBUG)
    for path in ("/", "/nothing", "/api/entries", "/api/entries/nothing", "/api/export"):
        answer = await ask(app_of(), f"{path}?token={TOKEN}", has_token=False)
        assert TOKEN.encode() not in answer.body
        assert TOKEN not in str(answer.error)
    assert TOKEN not in caplog.text
