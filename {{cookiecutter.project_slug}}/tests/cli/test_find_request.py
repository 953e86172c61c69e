"""Which request an id, `last` or `last-error` names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import MemoryDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli.find_request import Request, find_request
from {{cookiecutter.project_slug}}.cli.times import Clock
from {{cookiecutter.project_slug}}.logging.errors import SettingError

from .cli_helpers import NOON, make_call, make_failure, make_start

if TYPE_CHECKING:
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry


def at(milliseconds: float) -> Any:
    """Return the time this long after noon."""
    return NOON + timedelta(milliseconds=milliseconds)


OUTER = make_call("outer", timestamp=at(0), duration_ms=100.0, correlation_id="order-1")
INNER = make_failure("inner", timestamp=at(10), duration_ms=50.0, correlation_id="order-1")
LINES = [make_entry(f"at {n}", timestamp=at(n), correlation_id="order-1") for n in (-1, 5, 20, 99)]
LATER = make_call("later", timestamp=at(500), correlation_id="order-2", principal="ada")
OUTSIDE = [make_entry(f"{n}", timestamp=at(-5_000 + n), correlation_id="process") for n in range(2)]


async def find(word: str, *entries: LogEntry, **filters: Any) -> Request:
    """Return the request among these entries."""
    destination = MemoryDestination()
    await destination.write_batch(entries or [OUTER, INNER, *LINES, LATER, *OUTSIDE])
    return await find_request(destination, word, filters=filters, clock=Clock(is_utc=True))


WORDS = {
    "correlation id": "order-1",
    "its end": "rder-1",
    "entry id": OUTER.entry_id,
    "short id": OUTER.entry_id[-8:],
    "first line": LINES[0].entry_id,
    "third line": LINES[2].entry_id,
    "last line": LINES[3].entry_id,
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
async def test_a_request_is_found_by_an_id_of_any_of_its_entries(word: str) -> None:
    """Also by that of a line just before the call; the other entries are in order."""
    request = await find(word)
    assert request == Request(call=OUTER, entries=[LINES[0], LINES[1], INNER, LINES[2], LINES[3]])


async def test_a_call_inside_another_is_found_by_its_own_id() -> None:
    """With the lines logged during it, and the call around it."""
    assert await find(INNER.entry_id[-8:]) == Request(call=INNER, entries=[LINES[2]], outer=OUTER)


async def test_last_is_the_newest_request() -> None:
    """Filters narrow it; of calls inside each other, the outer one is shown."""
    assert (await find("last")).call == LATER
    assert (await find("last", tool_name="inner")).call == OUTER
    assert (await find("last", OUTER, INNER, *LINES)).call == OUTER
    with pytest.raises(SettingError, match=r"^There is no call in memory that matches\.$"):
        await find("last", principal="bob")


async def test_last_may_be_a_resource_or_a_call_that_never_ended() -> None:
    """Not only tools that returned."""
    read = make_call(tool_name=None, log_type="framework", method="resources/read", timestamp=at(600), target="a://b")
    hung = make_start(make_call("hung", timestamp=at(700)))
    assert (await find("last", LATER, read)).call == read
    assert (await find("last", LATER, read, hung)).call == hung
    assert (await find("last", LATER, make_start(LATER))).call == LATER


async def test_last_error_is_the_newest_request_that_failed() -> None:
    """A call inside another is shown as part of it only if that failed, too."""
    assert (await find("last-error")).call == INNER
    failed = make_failure("outer", timestamp=at(0), duration_ms=100.0, correlation_id="order-1")
    assert (await find("last-error", failed, INNER, LATER)).call == failed
    warned = make_failure("refused", timestamp=at(800), level="WARNING", status="validation_error")
    assert (await find("last-error", INNER, warned)).call == warned
    assert (await find("last-error", INNER, warned, level=("ERROR", "CRITICAL"))).call == INNER
    with pytest.raises(SettingError, match=r"^There is no failed call in memory\.$"):
        await find("last-error", LATER)


async def test_the_id_of_a_start_finds_the_call() -> None:
    """Whether it ended or not."""
    start = make_start(LATER)
    assert (await find(start.entry_id, LATER, start)).call == LATER
    assert (await find(start.entry_id, start)).call == start


async def test_a_line_outside_any_request_is_shown_alone() -> None:
    """By its correlation id, all lines of the process are shown."""
    assert await find(OUTSIDE[1].entry_id) == Request(call=OUTSIDE[1])
    assert await find("process") == Request(call=OUTSIDE[0], entries=OUTSIDE[1:])


async def test_an_id_that_nothing_has_is_refused() -> None:
    """In one sentence."""
    with pytest.raises(SettingError, match=r"^No entry id or correlation id in memory begins or ends with 'x'\.$"):
        await find("x")


async def test_an_ambiguous_id_lists_what_it_may_mean() -> None:
    """An exact correlation id is never ambiguous."""
    with pytest.raises(SettingError) as caught:
        await find("order")
    head, *lines = str(caught.value).split("\n")
    assert head == "2 entries have an id that begins or ends with 'order':"
    assert [line.split()[-1] for line in lines] == ["later", "outer"]
    assert f"  {LATER.entry_id}  2026-01-31 12:00:00.500 UTC  success  later" in lines
    calls = [make_call(correlation_id=f"order-{number}") for number in range(1, 30)]
    assert (await find("order-1", *calls)).call == calls[0]
    with pytest.raises(SettingError, match=r"^29 entries (.*\n){11}  and 19 more$"):
        await find("order", *calls)


async def test_requests_with_the_same_correlation_id_are_told_apart() -> None:
    """By their times, and by the client's request ids; a client may choose one id for several requests."""
    shared = {"correlation_id": "session", "duration_ms": 100.0}
    first, second = (make_call(timestamp=at(n), request_id=str(n), **shared) for n in (0, 50))
    line = make_entry("first", timestamp=at(20), correlation_id="session")
    assert await find(first.entry_id, first, second, line) == Request(call=first, entries=[line])
    with pytest.raises(SettingError, match=r"^2 entries "):
        await find("session", first, second, line)
