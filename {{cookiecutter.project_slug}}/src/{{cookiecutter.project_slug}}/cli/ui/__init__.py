"""The verb `ui`: look at recorded calls on a page in the browser. Nothing can be changed through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...logging.errors import SettingError
from ..numbers import whole_number

if TYPE_CHECKING:
    import argparse

    from ...config import ServerConfig

USAGE = "[--from NAME] [--host ADDRESS] [--port N] [--trace-url URL] [--no-browser]"
DESCRIPTION = """Browse recorded calls in the browser. The command prints the page's address, which
contains a secret token, and ends on Ctrl-C.

  --host ADDRESS  where to listen (default: 127.0.0.1, which only this machine reaches)
  --port N        which port (default: a free one)"""
HOST = "127.0.0.1"
MAX_PORT = 65_535
TRACE_ID = "{trace_id}"
"""What the address of a trace has in place of the id."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb; `--host` and `--port` are settings of a server, too."""
    parser.add_argument(
        "--from", dest="source", metavar="NAME", help="destination to read (default: the first readable one)"
    )
    parser.add_argument(
        "--trace-url", metavar="URL", help=f"where to see a trace, such as http://localhost:16686/trace/{TRACE_ID}"
    )
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="only print the address")


def take_settings(options: argparse.Namespace, settings: dict[str, Any]) -> None:
    """Take what `--host` and `--port` mean for the page; raise SettingError for an invalid option."""
    options.host = settings.pop("http_host", HOST)
    try:
        options.port = whole_number(settings.pop("http_port", "0"), 0, MAX_PORT)
    except ValueError as error:
        msg = f"--port {error}; 0 chooses a free one"
        raise SettingError(msg) from error
    _check_trace_url(options.trace_url)


async def run_verb(options: argparse.Namespace, config: ServerConfig) -> int:
    """Serve the page; return the exit code."""
    from .run import run_ui  # noqa: PLC0415 - imports the web server

    return await run_ui(options, config)


def _check_trace_url(url: str | None) -> None:
    if url is not None and not (url.startswith(("http://", "https://")) and TRACE_ID in url):
        msg = f"--trace-url must be an http or https address with {TRACE_ID} in it, not {url!r}"
        raise SettingError(msg)
