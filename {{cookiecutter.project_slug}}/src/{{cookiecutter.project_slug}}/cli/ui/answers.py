"""How the API answers: JSON, a stream, or one sentence about what is wrong."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from ...logging.errors import LoggingError, SettingError
from ...logging.json_safe import encode_json_bytes
from ..find_request import UnknownIdError
from .security import error_response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    Handler = Callable[[Request], Awaitable[Response]]

CLIENT_LEFT = 499
"""Status of the response to a client that has disconnected, as in nginx."""

_logger = logging.getLogger(__name__)


def as_json(handler: Callable[[Request], Awaitable[dict[str, Any]]]) -> Handler:
    """Turn what a handler returns into a JSON response, and its errors into sentences."""

    async def answer(request: Request) -> Response:
        return Response(encode_json_bytes(await handler(request)), media_type="application/json")

    return with_error_responses(answer)


def with_error_responses(handler: Callable[[Request], Coroutine[None, None, Response]]) -> Handler:
    """Turn errors into sentences: 400 for invalid input, 404 for an unknown id, 503 for an unreadable destination."""

    async def answer(request: Request) -> Response:
        try:
            return await _unless_disconnected(request, handler(request))
        except UnknownIdError as error:
            return error_response(request.url.path, str(error), 404)
        except SettingError as error:
            return error_response(request.url.path, str(error), 400)
        except (LoggingError, NotImplementedError) as error:
            return error_response(request.url.path, str(error), 503)

    return answer


def stream_response(
    request: Request, pieces: AsyncIterator[bytes], media_type: str, headers: dict[str, str] | None = None
) -> Response:
    """Return a response that is sent in pieces; a HEAD request gets none of them."""
    return _Stream(pieces if request.method == "GET" else _no_pieces(), headers=headers, media_type=media_type)


class _Stream(StreamingResponse):
    """A response that breaks off, instead of ending, if the destination cannot be read on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except LoggingError as error:
            _logger.error("%s was not sent to its end: %s", scope["path"], error)  # noqa: TRY400 - one sentence


async def _no_pieces() -> AsyncIterator[bytes]:
    for piece in list[bytes]():
        yield piece


async def _unless_disconnected(request: Request, answer: Coroutine[None, None, Response]) -> Response:
    """Return an answer; cancel its queries if the client disconnects, as the page does when its filter changes."""
    answering, disconnected = asyncio.create_task(answer), asyncio.create_task(_disconnect(request))
    try:
        await asyncio.wait({answering, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else Response(status_code=CLIENT_LEFT)
    finally:
        answering.cancel()
        disconnected.cancel()
        await asyncio.wait({answering, disconnected})


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
