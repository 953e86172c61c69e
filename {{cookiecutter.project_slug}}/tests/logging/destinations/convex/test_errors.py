"""The errors of the Convex destination: what each status and each failing request leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, InvalidEntryError

from .convex_helpers import SECRET, STORED, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("status", "content", "error", "message"),
    [
        (401, {"error": "wrong key"}, AccessError, r"answered 401: wrong key .*LOG_INGEST_KEY"),
        (403, b"<html>no</html>", AccessError, "answered 403: <html>no</html> "),
        (400, {"error": "no logs"}, InvalidEntryError, "answered 400: no logs$"),
        (413, b"", InvalidEntryError, "answered 413: no reason$"),
        (404, b"No matching routes found", DeliveryError, "answered 404: No matching.*deployed"),
        (302, b"", DeliveryError, r"answered 302.*CONVEX_ENDPOINT_URL"),
        (400, {"code": "BackendIsNotRunning", "message": "paused"}, DeliveryError, "answered 400: .*paused"),
        (403, {"code": "Disabled", "message": "over the limit"}, DeliveryError, "answered 403: .*over the limit"),
        (403, [1], AccessError, r"answered 403: \[1\] "),
        (429, {"code": "TooMany"}, DeliveryError, "answered 429.*TooMany"),
        (500, b"\xff\x00garbage", DeliveryError, "answered 500"),
        (502, [1], DeliveryError, r"answered 502: \[1\]$"),
        (503, {"error": "x" * 5_000}, DeliveryError, "answered 503"),
    ],
)
async def test_each_status_has_one_error(
    serve: Callable[..., Any], status: int, content: object, error: type[DeliveryError], message: str
) -> None:
    """The message is one short line; a redirect is not followed, and what Convex itself answers (a code) passes."""
    stub, destination = await serve((status, content))
    with pytest.raises(DeliveryError, match=message) as caught:
        await destination.write(make_entry())
    assert type(caught.value) is error
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)
    assert len(stub.requests) == 1


async def test_a_filter_that_the_functions_do_not_know_asks_for_a_deploy(serve: Callable[..., Any]) -> None:
    """Functions of schema 1 reject the filters that came with schema 2."""
    _, destination = await serve((400, {"error": "Unknown parameter clientName"}))
    with pytest.raises(DeliveryError, match=r"the filter clientName yet: deploy .* \(npx convex deploy\)$") as caught:
        await destination.query(client_name="c")
    assert type(caught.value) is DeliveryError


async def test_an_echoed_key_is_redacted(serve: Callable[..., Any]) -> None:
    """Some proxies answer with the request."""
    _, destination = await serve((500, f"you sent Authorization: Bearer {SECRET}".encode()))
    with pytest.raises(DeliveryError, match=r"Bearer \[redacted\]") as caught:
        await destination.write(make_entry())
    assert SECRET not in str(caught.value)


async def test_a_request_without_an_answer_times_out(serve: Callable[..., Any]) -> None:
    """The message contains the timeout; the next request uses a new connection."""
    stub, destination = await serve((0, b""), (200, STORED), convex_timeout_seconds=1.0)
    with pytest.raises(DeliveryError, match=r"did not answer within 1 s$"):
        await destination.write(make_entry())
    await destination.write(make_entry())
    assert len(stub.connections) == 2


async def test_an_unreachable_server_is_a_temporary_failure() -> None:
    """The message names the server."""
    destination = ConvexDestination(make_settings("http://127.0.0.1:1", SECRET))
    with pytest.raises(DeliveryError, match=r"^Convex at http://127\.0\.0\.1:1 cannot be reached: ") as caught:
        await destination.write(make_entry())
    assert type(caught.value) is DeliveryError
    await destination.close()
