"""`logs show`: one request in full: who called what, what was logged meanwhile, and how it ended."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from ..logging.entry import SUCCESSES, iso_utc
from ..logging.errors import SettingError
from ..logging.printable import printable, printable_json
from .entry_text import details_of, name_of, pairs, status_of, style_of
from .find_request import find_request
from .logs_options import FILTER_FLAGS, LAST, LAST_ERROR
from .output import Style, json_line
from .reading import filters_of
from .times import duration, size

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import datetime

    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry
    from .find_request import Request
    from .output import Terminal
    from .times import Clock

SHOWN_ELSEWHERE = ("traceback", "call_entry_id")
"""Parts of `extra_data` that are not shown again; entries of the first schema have their traceback there."""


async def show_request(
    source: LogDestination, options: argparse.Namespace, *, terminal: Terminal, clock: Clock
) -> None:
    """Print the request that the options name; raise SettingError unless it is exactly one."""
    filters = _filters(options)
    request = await find_request(source, options.id, filters=filters, clock=clock)
    if options.json:
        entries = sorted([request.call, *request.entries], key=lambda entry: entry.timestamp)
        sys.stdout.writelines(json_line(entry.to_dict()) for entry in entries)
    else:
        sys.stdout.writelines(f"{line}\n" for line in Page(request, terminal=terminal, clock=clock).lines())


def _filters(options: argparse.Namespace) -> dict[str, Any]:
    """Return the filters, which only `last` and `last-error` support; raise SettingError without an id."""
    if not options.id:
        ids = "the first or last characters of an entry id or correlation id"
        msg = f"logs show needs an id ({ids}), or {LAST}, or {LAST_ERROR}"
        raise SettingError(msg)
    filters = filters_of(options)
    if filters and options.id not in {LAST, LAST_ERROR}:
        flag = FILTER_FLAGS[next(iter(filters))]
        msg = f"logs show does not support {flag} with an id; use it with {LAST} or {LAST_ERROR}"
        raise SettingError(msg)
    return filters


class Page:
    """A request as lines of text. All that was recorded is escaped, because clients and tools chose it."""

    def __init__(self, request: Request, *, terminal: Terminal, clock: Clock) -> None:
        self._call = request.call
        self._entries = request.entries
        self._outer = request.outer
        self._terminal = terminal
        self._clock = clock

    def lines(self) -> Iterator[str]:
        """Yield the lines: outcome, facts, arguments, log, result and traceback."""
        call = self._call
        yield from self._title()
        yield ""
        for name, text in self._facts():
            yield f"{self._terminal.paint(f'{name:<12}', Style.FAINT)} {printable(text)}"
        yield from self._section("arguments", _json_lines(call.input_args), call.input_size)
        yield from self._section("extra data", _json_lines(_extra_of(call) or None))
        yield from self._section("log", self._log() or None)
        if call.status in SUCCESSES or call.output_summary != call.error_message:
            yield from self._section("result", _text_lines(call.output_summary), call.output_size)
        yield from self._section("traceback", _text_lines(_traceback_of(call)))

    def _title(self) -> Iterator[str]:
        call = self._call
        if call.status is None:
            yield f"{self._terminal.paint(printable(call.level), style_of(call))}  {printable(call.message)}"
        else:
            took = f" in {duration(call.duration_ms)}" if call.duration_ms is not None else ""
            outcome = self._terminal.paint(f"{printable(status_of(call))}{took}", style_of(call))
            yield f"{self._terminal.paint(printable(name_of(call)), Style.TITLE)}: {outcome}"
        yield from _text_lines(call.error_message) or ()
        if call.error_type and call.error_type != call.error_message:
            yield f"  ({printable(call.error_type)})"

    def _facts(self) -> Iterator[tuple[str, str]]:
        """Yield what is known about the request, by name."""
        call = self._call
        outer = self._outer
        facts = {
            "time": self._time(call.timestamp),
            "request": _joined(call.method, call.target if call.target != call.tool_name else None),
            "client": _joined(call.client_name, call.client_version, _named("from", call.client_address)),
            "principal": call.principal,
            "server": _joined(call.server_name, call.server_version, _named("over", call.transport)),
            "process": _joined(
                _text(call.process_id), _named("on", call.hostname), _named("in thread", call.thread_name)
            ),
            "place": _place_of(call),
            "id": call.entry_id,
            "correlation": call.correlation_id,
            "part of": None if outer is None else f"{name_of(outer)}, id {outer.entry_id}",
            "trace": _joined(call.trace_id, _named("span", call.span_id), _named("parent", call.parent_span_id)),
            "protocol": _joined(call.protocol_version, _named("request id", call.request_id)),
        }
        for name, text in facts.items():
            if text:
                yield name, text

    def _section(self, title: str, lines: list[str] | None, count: int | None = None) -> Iterator[str]:
        """Yield a section with its size in bytes. Without lines, it was not recorded; only its size may be known."""
        if lines is None and count is None:
            return
        notes = [] if count is None else [size(count)]
        notes += ["not recorded"] if lines is None else [] if lines else ["empty"]
        yield ""
        yield self._terminal.paint(title, Style.TITLE) + (f" ({', '.join(notes)})" if notes else "")
        yield from lines or ()

    def _log(self) -> list[str]:
        """Return the other entries of the request, each with the time since its start and its traceback."""
        offsets = [f"{(entry.timestamp - self._call.timestamp).total_seconds():+.3f} s" for entry in self._entries]
        width = max(map(len, offsets), default=0)
        lines = []
        for offset, entry in zip(offsets, self._entries, strict=True):
            status = self._terminal.paint(f"{printable(status_of(entry)):<8}", style_of(entry))
            lines.append(f"  {offset:>{width}}  {status}  {self._log_text(entry)}")
            traceback = _traceback_of(entry)
            if traceback != _traceback_of(self._call):  # that of a call inside this one may be the same
                lines += [f"  {' ' * width}  {line}" for line in _text_lines(traceback) or ()]
        return lines

    def _log_text(self, entry: LogEntry) -> str:
        details = details_of(entry, is_whole=True)
        if entry.status is not None:
            parts = [name_of(entry), duration(entry.duration_ms), details]
            return printable("  ".join(filter(None, parts)))
        place = self._terminal.paint(printable(_place_of(entry)), Style.FAINT)
        return "  ".join(filter(None, (printable(details), printable(pairs(_extra_of(entry))), place)))

    def _time(self, moment: datetime) -> str:
        return iso_utc(moment) if self._terminal.width is None else self._clock.full(moment)


def _json_lines(values: dict[str, Any] | None) -> list[str] | None:
    if values is None:
        return None
    text = json.dumps(values, indent=2, ensure_ascii=False)
    return [f"  {printable_json(line)}" for line in text.split("\n")]


def _text_lines(text: str | None) -> list[str] | None:
    return None if text is None else [f"  {printable(line)}" for line in text.splitlines()]


def _extra_of(entry: LogEntry) -> dict[str, Any]:
    return {name: value for name, value in (entry.extra_data or {}).items() if name not in SHOWN_ELSEWHERE}


def _traceback_of(entry: LogEntry) -> str | None:
    """Return the traceback; entries of the first schema have it in `extra_data`."""
    if entry.traceback is not None:
        return entry.traceback
    traceback = (entry.extra_data or {}).get("traceback")
    return traceback if isinstance(traceback, str) else None


def _place_of(entry: LogEntry) -> str:
    """Return where an entry was logged, if that is known."""
    return f"{entry.module}:{entry.line}" if entry.module and entry.line else entry.module or ""


def _joined(*parts: str | None) -> str:
    return " ".join(filter(None, parts))


def _named(name: str, text: str | None) -> str | None:
    return text and f"{name} {text}"


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
