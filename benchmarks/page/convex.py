"""Documents in Convex, and its HTTP action asked directly: the functions that the project ships are the statement."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from benchmarks.stack import with_retries

from .data import entries
from .questions import ROWS, Question
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench_server.logging.entry import LogEntry

COUNT = 10_000
BATCH = 500
URL = os.environ["TEST_CONVEX_URL"]
KEY = os.environ.get("TEST_CONVEX_API_KEY", "local-test-key")
MOST = 10_000
"""Rows that statistics and histograms are computed from."""


class Page(TypedDict):
    """An answer; `cursor` is null at the end."""

    logs: list[object]
    cursor: str | None


@contextmanager
def stored(folder: Path) -> Iterator[Store]:  # noqa: ARG001 - as the other stores have it
    """Fill the deployment; yield it as a store."""
    entry = asyncio.run(_fill())

    def answer(question: Question) -> int:
        page = _ask(_parameters(question))
        rows = len(page["logs"])
        while page["cursor"]:
            page = _ask({**_parameters(question), "cursor": page["cursor"]})
            rows += len(page["logs"])
        return rows

    settings = {"CONVEX_ENDPOINT_URL": URL, "CONVEX_API_KEY": KEY}
    ids = (entry.entry_id, entry.correlation_id)
    yield Store(name="convex", count=COUNT, settings=settings, ids=ids, answer=answer)


async def _fill() -> LogEntry:
    """Write the entries; return one of them."""
    destination = with_retries("convex", convex_endpoint_url=URL, convex_api_key=KEY)
    await destination.open()
    source = entries(COUNT)
    while batch := list(islice(source, BATCH)):
        entry = batch[0]
        await destination.write_batch(batch)
    await destination.close()
    return entry


def _parameters(question: Question) -> dict[str, str]:
    comparisons = {"duration_ms>=": "min_duration_ms", "timestamp>=": "since", "timestamp<": "until"}
    parameters = {
        comparisons.get(f"{each.field}{each.comparison}", each.field): str(each.value) for each in question.conditions
    }
    if question.any_id:
        parameters["any_id"] = question.any_id
    is_counted = question.kind in {"stats", "histogram"}
    return {**parameters, "limit": str(MOST if is_counted else ROWS)}


def _ask(parameters: dict[str, str]) -> Page:
    request = Request(f"{URL}/logs/query?{urlencode(parameters)}", headers={"Authorization": f"Bearer {KEY}"})  # noqa: S310
    with urlopen(request) as reply:  # noqa: S310 - loopback
        answer: Page = json.loads(reply.read())
    return answer
