"""The verb that serves the page, as a process."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from fake_destinations import JSON_LINES
from helpers import program_path, until

from {{cookiecutter.project_slug}}.choices import COMMAND
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.ui import run
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

from ..cli_helpers import make_call

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Open = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def open_page(own_logging: object, start: Callable[..., subprocess.Popen[str]]) -> Open:
    """Return a function that starts the command and returns its process and the address that it prints."""

    def begin(*options: str) -> tuple[subprocess.Popen[str], str]:
        process = start("-m", PACKAGE, "ui", "--no-browser", *options)
        return process, process.stdout.readline().strip()

    return begin


def get(url: str, path: str = "", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Return the answer to a request; the path replaces that of the address."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("GET", path or f"{parts.path}?{parts.query}", headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


@pytest.fixture
def stream_of() -> Iterator[Callable[[str], http.client.HTTPResponse]]:
    """Return a function that opens the stream of new entries; close all at the end."""
    connections: list[http.client.HTTPConnection] = []

    def follow(url: str) -> http.client.HTTPResponse:
        parts = urlsplit(url)
        connections.append(http.client.HTTPConnection(parts.hostname, parts.port, timeout=10))
        connections[-1].request("GET", f"/api/stream?{parts.query}")
        response = connections[-1].getresponse()
        assert response.readline() == b"event: ready\n"
        return response

    yield follow
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_is_served_until_a_signal_ends_it(
    open_page: Open, record: Callable[..., None], stream_of: Callable[[str], Any], number: int
) -> None:
    """It prints one address, with a free port; an open stream does not delay the end; the exit code is 0."""
    call = make_call()
    record(call)
    process, url = open_page()
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*/\?token=[\w-]{43}", url)
    page, body = get(url)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<script" in body
    cookie = page.headers["set-cookie"]
    assert cookie.startswith(f"{COMMAND}-{urlsplit(url).port}=")
    _, answer = get(url, "/api/entries", cookie=cookie.partition(";")[0])
    assert [row["id"] for row in json.loads(answer)["entries"]] == [call.entry_id]
    following = stream_of(url)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
    assert following.read().endswith(b"\n\n")


def test_a_signal_right_after_the_address_ends_it_as_well(open_page: Open) -> None:
    """Nothing was asked yet."""
    process, _ = open_page()
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 0


def test_a_new_entry_reaches_an_open_page(
    open_page: Open, record: Callable[..., None], stream_of: Callable[[str], Any]
) -> None:
    """Another process recorded it."""
    _, url = open_page("--from", JSON_LINES)
    following = stream_of(url)
    record(make_call("fresh"))
    assert until(lambda: (line := following.readline()).startswith(b"data: [") and b'"fresh"' in line)


def test_answers_are_sent_without_delay() -> None:
    """The parts of an answer are not held back until the browser has confirmed the first one."""
    with run._listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.skipif(not hasattr(os, "nice"), reason="Windows has no such priorities")
def test_servers_go_first(open_page: Open) -> None:
    """The command has a lower priority than the servers that it watches."""
    process, _ = open_page()
    expected = min(os.getpriority(os.PRIO_PROCESS, 0) + run.NICENESS, 19)
    until(lambda: os.getpriority(os.PRIO_PROCESS, process.pid) == expected)


def test_the_token_is_printed_once(open_page: Open) -> None:
    """Neither a request with it nor one that fails puts it on stderr."""
    process, url = open_page()
    assert get(url)[0].status == 200
    assert get(url, f"/api/nothing?{urlsplit(url).query}")[0].status == 404
    assert get(url, "/")[0].status == 401
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10) == ("", "")


def test_another_host_is_said_in_a_sentence(open_page: Open) -> None:
    """The address is one that works on this machine."""
    process, url = open_page("--host", "0.0.0.0", "--port", "0")
    assert url.startswith("http://127.0.0.1:")
    assert get(url)[0].status == 200
    assert get(url, host=f"evil.example:{urlsplit(url).port}")[0].status == 421
    process.send_signal(signal.SIGINT)
    sentence = "Everyone who can reach this machine and knows this token can read the calls.\n"
    assert process.communicate(timeout=10) == ("", sentence)


def test_settings_that_are_not_used_are_named(open_page: Open, isolated: Path) -> None:
    """On stderr, as `logs` names them: a misspelt one may be why the page shows nothing."""
    (isolated / ".env").write_text("LOG_LEVLE=DEBUG\n")
    process, url = open_page()
    assert get(url)[0].status == 200
    process.send_signal(signal.SIGINT)
    sentence = ".env: LOG_LEVLE is not a setting; did you mean LOG_LEVEL?\n"
    assert process.communicate(timeout=10) == ("", sentence)


def test_the_page_can_be_served_to_ipv6(open_page: Open) -> None:
    """The address has brackets."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    process, url = open_page("--host", "::1")
    assert url.startswith("http://[::1]:")
    assert get(url)[0].status == 200
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10) == ("", "")


def test_a_port_can_be_chosen(open_page: Open) -> None:
    """One that is taken is named."""
    _, url = open_page()
    port = str(urlsplit(url).port)
    other, nothing = open_page("--port", port)
    assert nothing == ""
    _, err = other.communicate(timeout=10)
    assert other.returncode == 2
    assert err.startswith(f"--host is '127.0.0.1' and --port is {port}, but the page cannot be served there: ")
    assert err.count("\n") == 1


def test_the_browser_is_opened(
    own_logging: object, start: Callable[..., subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another token than the printed one, because `ps` shows it to other users: it works once."""
    browser = tmp_path / "browser.py"
    browser.write_text("import sys, pathlib\npathlib.Path(__file__).with_suffix('.txt').write_text(sys.argv[1])\n")
    monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s")
    url = start("-m", PACKAGE, "ui").stdout.readline().strip()
    opened = browser.with_suffix(".txt")
    first = until(lambda: opened.exists() and opened.read_text())
    assert first.partition("=")[0] == url.partition("=")[0]
    assert first != url
    assert [get(address)[0].status for address in (first, first, url)] == [200, 401, 200]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--port x", "--port must be between 0 and 65535, not 'x'; 0 chooses a free one"),
        ("--port 65536", "--port must be between 0 and 65535, not '65536'"),
        ("--port=-1", "--port must be between 0 and 65535, not '-1'"),
        ("--host nowhere.invalid", "--host is 'nowhere.invalid' and --port is 0, but the page cannot be served there"),
        ("--from nothere", "--from"),
        ("--from fake_destinations:WriteOnlyDestination", "There is nothing to read: custom is write-only"),
        ("now", "ui takes no arguments, so 'now' is unknown"),
        ("--no-browsr", "unknown option '--no-browsr' of ui; did you mean --no-browser?"),
        ("--from", "--from: needs a value"),
        (
            "--trace-url http://traces.example",
            "--trace-url must be an http or https address with {trace_id} in it, not 'http://traces.example'",
        ),
        ("--trace-url javascript:{trace_id}", "--trace-url must be an http or https address"),
    ],
)
def test_a_mistake_is_named(own_logging: object, capsys: pytest.CaptureFixture[str], words: str, sentence: str) -> None:
    """One sentence on stderr, nothing on stdout, and the exit code 2."""
    assert main(["ui", "--no-browser", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert sentence in err


def test_the_help_describes_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Also those that the servers have, too."""
    with pytest.raises(SystemExit, match="0"):
        main(["ui", "--help"])
    out = capsys.readouterr().out
    assert out.startswith(
        f"usage: {COMMAND} ui [--from NAME] [--host ADDRESS] [--port N] [--trace-url URL] [--no-browser]\n"
    )
    options = ("--from", "--host", "--port", "--trace-url", "--no-browser")
    assert [option for option in options if f"\n  {option} " not in out] == []


@pytest.mark.parametrize("words", [["logs"], ["doctor"]])
def test_other_verbs_do_not_load_the_page(
    own_logging: object, run: Callable[..., subprocess.CompletedProcess[str]], words: list[str]
) -> None:
    """It costs them no time."""
    modules = run(program_path("modules_of_command"), *words).stderr.splitlines()
    assert [module for module in modules if module.startswith(f"{PACKAGE}.cli.ui")] == []
