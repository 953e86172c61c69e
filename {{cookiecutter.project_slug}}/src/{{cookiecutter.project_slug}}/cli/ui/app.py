"""The web application: the page's files and its API, behind the guard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .api import Api
from .security import Guard, error_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from ...logging.destinations.base import LogDestination
    from .stores import Stores

FILES = Path(__file__).with_name("static")


def create_app(
    source: LogDestination,
    *,
    stores: Stores,
    token: str,
    host: str,
    cookie: str,
    once: str | None = None,
    trace_url: str | None = None,
    is_ending: Callable[[], bool] = lambda: False,
) -> Guard:
    """Return the application that shows what a destination holds.

    The guard is around everything, so that an answer to a failure has its headers, too.
    """
    api = Api(source=source, stores=stores, trace_url=trace_url, is_ending=is_ending)
    app = Starlette(
        routes=[Route("/", _page), *api.routes(), Mount("/static", StaticFiles(directory=FILES))],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    return Guard(app, token=token, host=host, cookie=cookie, once=once)


async def _page(request: Request) -> FileResponse:  # noqa: ARG001 - the signature of a handler
    return FileResponse(FILES / "index.html")


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return error_response(request.url.path, "There is nothing at this address.", status)


async def _failed(request: Request, error: Exception) -> Response:
    """Return one sentence; the server prints the traceback to the terminal of the command."""
    sentence = f"The page has failed ({type(error).__name__}); the terminal of its command shows why."
    return error_response(request.url.path, sentence, 500)
