"""Find one request, by an id or as the last one, with everything that was recorded during it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..logging.entry import SUCCESSES
from ..logging.errors import SettingError
from ..logging.query import LEVELS, MAX_LIMIT
from .call_starts import without_ended
from .entry_text import end_id_of, is_request, name_of, status_of
from .logs_options import LAST, LAST_ERROR, METHODS
from .reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry
    from .times import Clock

FAILED_LEVELS = LEVELS[LEVELS.index("WARNING") :]
"""The levels of the requests that failed."""
MAX_CANDIDATES = 10
"""Requests that are listed if an id is ambiguous."""
SLACK = timedelta(milliseconds=1)
"""How much later than its end a line of a request may be: time and duration come from different clocks."""


class UnknownIdError(SettingError):
    """Nothing is recorded under an id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request and the other entries that were recorded during it, oldest first; `outer` is the call around it.

    For a line that was logged outside any request, `call` is that line.
    """

    call: LogEntry
    entries: list[LogEntry] = field(default_factory=list)
    outer: LogEntry | None = None


async def find_request(source: LogDestination, word: str, *, filters: dict[str, Any], clock: Clock) -> Request:
    """Return the request that an id, `last` or `last-error` names; raise SettingError unless it is exactly one."""
    if word in {LAST, LAST_ERROR}:
        return await _last_request(source, filters, only_failed=word == LAST_ERROR)
    found = await read(source, correlation_id=word, limit=MAX_LIMIT) or await read(source, any_id=word, limit=MAX_LIMIT)
    if not found:
        msg = f"No entry id or correlation id in {source.name} begins or ends with {word!r}."
        raise UnknownIdError(msg)
    by_entry_id = [entry for entry in found if _is_part(word, of=entry.entry_id)]
    if len(found) == len(by_entry_id) == 1:
        return await _request_of(source, found[0])
    candidates = [*by_entry_id, *_one_per_correlation_id(found, without=by_entry_id)]
    if len({entry.correlation_id for entry in candidates}) == 1:
        entries = await _recorded_with(source, candidates[0].correlation_id)
        outermost = _outermost(entries)
        if not by_entry_id or len(outermost) <= 1:
            candidates = outermost or entries[:1]
    if len(candidates) == 1:
        return await _request_of(source, candidates[0], is_whole=True)
    raise SettingError(_ambiguous(word, candidates, clock, is_more=len(found) == MAX_LIMIT))


def _one_per_correlation_id(entries: Iterable[LogEntry], *, without: Iterable[LogEntry]) -> Iterable[LogEntry]:
    """Return an entry for each correlation id, a request if there is one."""
    known = {entry.entry_id for entry in without}
    chosen: dict[str, LogEntry] = {}
    for entry in entries:
        if entry.entry_id in known:
            continue
        if entry.correlation_id not in chosen or is_request(entry):
            chosen[entry.correlation_id] = entry
    return chosen.values()


async def _last_request(source: LogDestination, filters: dict[str, Any], *, only_failed: bool) -> Request:
    """Return the newest request that matches the filters; of calls inside each other, the outer one."""
    kinds: list[dict[str, str]] = [{"log_type": "tool_execution"}, {"status": "started"}]
    kinds += [{"method": method} for method in METHODS]
    failed = {"level": [level for level in FAILED_LEVELS if level in filters.get("level", LEVELS)]}
    narrowed = {**filters, **(failed if only_failed else {})}
    newest: list[LogEntry] = []
    for kind in kinds:
        if all(filters.get(name, value) == value for name, value in kind.items()):
            newest += await read(source, **{**narrowed, **kind}, limit=1)
    if not newest:
        which, ending = "failed " if only_failed else "", " that matches" if filters else ""
        msg = f"There is no {which}call in {source.name}{ending}."
        raise UnknownIdError(msg)
    call = max(newest, key=lambda entry: entry.timestamp)
    enclosing = [
        entry
        for entry in await _recorded_with(source, call.correlation_id)
        if is_request(entry) and _is_within(call, entry) and not (only_failed and entry.status in SUCCESSES)
    ]
    return await _request_of(source, min(enclosing, key=_extent, default=call))


async def _request_of(source: LogDestination, entry: LogEntry, *, is_whole: bool = False) -> Request:
    """Return the request that an entry records or belongs to; for any other line, the line alone or all with its id."""
    around = await _recorded_with(source, entry.correlation_id)
    requests = [each for each in around if is_request(each)]
    end_id = end_id_of(entry)
    call = next((each for each in requests if each.entry_id in {entry.entry_id, end_id}), None)
    if call is None:
        inside = [each for each in requests if _is_within(entry, each)]
        call = inside[0] if inside else _nearest(entry, requests)
    if call is None:
        return Request(call=entry, entries=[each for each in around if is_whole and each.entry_id != entry.entry_id])
    outermost = _outermost(around)
    if outermost == [call]:
        return Request(call=call, entries=[each for each in around if each is not call])
    return Request(
        call=call,
        entries=[each for each in around if each is not call and _is_within(each, call)],
        outer=next((each for each in outermost if each is not call and _is_within(call, each)), None),
    )


async def _recorded_with(source: LogDestination, correlation_id: str) -> list[LogEntry]:
    """Return the newest entries with a correlation id, oldest first, without the starts of calls that ended."""
    entries = await read(source, correlation_id=correlation_id, limit=MAX_LIMIT)
    return sorted(await without_ended(source, entries), key=_extent)


def _outermost(entries: Iterable[LogEntry]) -> list[LogEntry]:
    """Return the requests that are not part of another one; entries are given oldest first."""
    outermost: list[LogEntry] = []
    for entry in entries:
        if is_request(entry) and not any(_is_within(entry, other) for other in outermost):
            outermost.append(entry)
    return outermost


def _is_within(entry: LogEntry, request: LogEntry) -> bool:
    """Return whether an entry was recorded during a request, as far as its time and the client's request id tell."""
    if entry.request_id not in {None, request.request_id}:
        return False
    return request.timestamp <= entry.timestamp and _end_of(entry) <= _end_of(request) + SLACK


def _nearest(entry: LogEntry, requests: Iterable[LogEntry]) -> LogEntry | None:
    """Return the request that begins nearest to an entry, such as a line that the SDK logs before the call."""
    return min(requests, key=lambda request: abs(request.timestamp - entry.timestamp), default=None)


def _end_of(entry: LogEntry) -> datetime:
    if end_id_of(entry) is not None:
        return datetime.max.replace(tzinfo=UTC) - SLACK
    return entry.timestamp + timedelta(milliseconds=entry.duration_ms or 0)


def _extent(entry: LogEntry) -> tuple[datetime, float]:
    """Sort by start, longer requests first."""
    return entry.timestamp, -(_end_of(entry) - entry.timestamp).total_seconds()


def _is_part(word: str, *, of: str) -> bool:
    return of.startswith(word) or of.endswith(word)


def _ambiguous(word: str, candidates: Sequence[LogEntry], clock: Clock, *, is_more: bool) -> str:
    count = f"{len(candidates)}{' or more' if is_more else ''}"
    newest_first = sorted(candidates, key=lambda entry: entry.timestamp, reverse=True)
    lines = [
        f"  {entry.entry_id}  {clock.full(entry.timestamp)}  {status_of(entry)}  {name_of(entry)}".rstrip()
        for entry in newest_first[:MAX_CANDIDATES]
    ]
    if len(candidates) > MAX_CANDIDATES:
        lines.append(f"  and {len(candidates) - MAX_CANDIDATES} more")
    return "\n".join([f"{count} entries have an id that begins or ends with {word!r}:", *lines])
