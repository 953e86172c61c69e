"""What an entry is, what a destination has to do with it, and what is counted and said of what became of entries."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import re
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson

from ..correlation import new_id
from ..errors import MissingDriverError, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACKAGE = __name__.partition(".")[0]
"""This project's import package."""
SAY_INTERVAL = 30.0
"""Seconds between two complaints about the same destination."""
RETENTION_INTERVAL = 3_600.0
"""Seconds between two removals of what is past retention."""
LogType = Literal["tool_execution", "internal", "framework"]
Status = Literal["success", "error", "cancelled", "validation_error", "unknown_tool", "input_required"]
"""How a tool call can end."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class LogEntry:
    """One tool call or one log line, JSON-safe and redacted when it is made.

    `timestamp` is aware UTC and the time of the event; `duration_ms` comes from a monotonic clock. The fields after
    `extra_data` are this project's own: what an audit asks for beyond the log line. `principal` is the client id or
    subject of a verified access token, never the token.
    """

    correlation_id: str
    timestamp: datetime
    level: str
    log_type: LogType
    message: str
    tool_name: str | None = None
    duration_ms: float | None = None
    status: str | None = None
    input_args: dict[str, Any] | None = None
    output_summary: str | None = None
    error_message: str | None = None
    module: str | None = None
    function: str | None = None
    line: int | None = None
    thread_name: str | None = None
    process_id: int | None = None
    extra_data: dict[str, Any] | None = None
    entry_id: str = field(default_factory=new_id)
    server_name: str | None = None
    server_version: str | None = None
    transport: str | None = None
    client_name: str | None = None
    client_version: str | None = None
    protocol_version: str | None = None
    request_id: str | None = None
    principal: str | None = None
    error_type: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    hostname: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, `timestamp` as ISO 8601 UTC text with microseconds."""
        values = dict(zip(FIELD_NAMES, self.values(), strict=True))
        values["timestamp"] = iso_utc(self.timestamp)
        return values

    def values(self) -> tuple[Any, ...]:
        """Return the fields' values in their order; spelled out, since that takes half of attrgetter's time."""
        return (
            self.correlation_id, self.timestamp, self.level, self.log_type, self.message, self.tool_name,
            self.duration_ms, self.status, self.input_args, self.output_summary, self.error_message, self.module,
            self.function, self.line, self.thread_name, self.process_id, self.extra_data, self.entry_id,
            self.server_name, self.server_version, self.transport, self.client_name, self.client_version,
            self.protocol_version, self.request_id, self.principal, self.error_type, self.trace_id, self.span_id,
            self.hostname,
        )  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LogEntry:
        """Build an entry from `to_dict`'s shape; raise ValueError where it has no time, without which it is none.

        Names it does not know are ignored, absent ones take the default, a text without one is empty; a naive time is
        UTC.
        """
        known = {name: values[name] for name in FIELD_NAMES if values.get(name) is not None}
        return cls(**{**_NO_TEXTS, **known, "timestamp": _moment(known.get("timestamp"))})


FIELD_NAMES: tuple[str, ...] = tuple(item.name for item in fields(LogEntry))
"""The entry's fields in their fixed order: column names, document keys and JSON keys alike."""
JSON_FIELDS = ("input_args", "extra_data")
"""Those that hold JSON objects."""
_NO_TEXTS = dict.fromkeys(("correlation_id", "level", "log_type", "message"), "")


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        msg = f"An entry's timestamp is {value!r}; it takes a datetime, or its ISO 8601 text"
        raise ValueError(msg)  # noqa: TRY004 - about a text as well
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def iso_utc(moment: datetime) -> str:
    """Return an aware datetime as ISO 8601 UTC text of a fixed width, so that text order is time order."""
    moment = moment.astimezone(UTC)
    if moment.microsecond and type(moment) is datetime:  # orjson refuses subclasses, such as loguru's
        return orjson.dumps(moment)[1:-1].decode()  # a quarter of isoformat's time
    return moment.isoformat(timespec="microseconds")


class LogDestination(ABC):
    """Somewhere entries go.

    A subclass holds plain settings until `open()`: nothing is connected, imported or written before. All its methods
    run on one event loop, the writer thread's; what it raises is retried, counted and said by the wrappers around it,
    never by the destination itself. See `errors` for the exceptions that mean something special.
    """

    name: str = "custom"
    """The word for this destination in settings, counters and messages."""
    batch_size: int = 500
    """The most entries a `write_batch` is handed."""
    driver: str = ""
    """The driver's module, which is imported before `open`, while no other thread can fork."""
    driver_loggers: tuple[str, ...] = ()
    """Loggers of the driver: their records go to stderr only, so that logging never feeds on itself."""
    remedy: str = ""
    """Which settings must name what for entries to arrive: what `doctor` says of one that fails."""

    async def open(self) -> None:
        """Connect and prepare what `write_batch` needs; called again after it failed."""

    @abstractmethod
    async def write(self, entry: LogEntry) -> None:
        """Deliver one entry; raise when it was not delivered."""

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Deliver several entries at once; raise when not all of them were delivered."""
        for entry in entries:
            await self.write(entry)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return the newest entries that match, newest first; see `LogQuery` for the filters."""
        msg = f"{self.name} is write-only: it cannot be queried"
        raise NotImplementedError(msg)

    async def close(self) -> None:
        """Release what `open` took; safe to call twice, and without `open`."""


class Tally:
    """A count that any thread raises without a lock: `next` on `itertools.count` is one step of the interpreter."""

    __slots__ = ("_count", "add")

    def __init__(self) -> None:
        self._count = itertools.count()
        self.add = self._count.__next__
        """Raise the count by one and return what it was."""

    @property
    def value(self) -> int:
        """How often `add` was called: `itertools.count` shows it in its text only."""
        return int(repr(self._count)[len("count(") : -1])


class Interval:
    """A pause of so many seconds between two rounds of the same work; over at first."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end()

    def end(self) -> None:
        """Let it be over, where a round has left something to do."""
        self._began_at = float("-inf")

    def is_over(self) -> bool:
        """Tell whether it is over, and begin it anew where it is."""
        if time.monotonic() - self._began_at < self.seconds:
            return False
        self._began_at = time.monotonic()
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Counters:
    """One destination's numbers since the start: accepted = written + dropped + failed + queued, always.

    `written` reached the destination, `dropped` made room for newer ones or came too late, `failed` were refused by
    the destination for good, `queued` still wait; `retried` counts attempts beyond the first of a batch.
    """

    destination: str
    accepted: int = 0
    written: int = 0
    retried: int = 0
    dropped: int = 0
    failed: int = 0
    queued: int = 0
    last_error: str | None = None

    def __str__(self) -> str:
        numbers = ", ".join(
            f"{name} {getattr(self, name)}" for name in ("written", "retried", "dropped", "failed", "queued")
        )
        return f"{self.destination}: {numbers}" + (f"; last error: {self.last_error}" if self.last_error else "")


class Complaints:
    """What is said about one destination, once in a while: on its writer's thread, so that it reaches stderr only."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.last_error: str | None = None
        self._said_at = float("-inf")
        self._down_since: float | None = None

    def say(self, error: BaseException, consequence: str, *, dropped: int) -> None:
        """Keep an error as the last one, and say it unless something was said a moment ago."""
        self.last_error = text_of(error)
        if time.monotonic() - self._said_at >= SAY_INTERVAL:
            self._said_at = time.monotonic()
            _logger.error("%s: %s (%s, %d dropped so far)", self.name, self.last_error, consequence, dropped)

    def down(self, error: BaseException, consequence: str, *, dropped: int) -> None:
        """Say that a destination takes nothing, and remember since when."""
        self._down_since = self._down_since or time.monotonic()
        self.say(error, consequence, dropped=dropped)

    def recovered(self) -> None:
        """Say that a destination takes entries again: what was not said is not taken back."""
        if self._down_since is not None and self._said_at >= self._down_since:
            _logger.warning("%s: delivering again after %.0f s", self.name, time.monotonic() - self._down_since)
        self._down_since = None

    def overflow(self, capacity: int, *, dropped: int) -> None:
        """Say that a buffer is full."""
        _logger.error("%s: its buffer of %d entries is full (%d dropped so far)", self.name, capacity, dropped)


def require_driver(module: str, *, name: str, package: str | None = None) -> None:
    """Raise MissingDriverError unless `module` can be imported, without importing it.

    `name` is the destination's; `package` is what brings the module, where that is called otherwise.
    """
    if importlib.util.find_spec(module) is None:
        requirement = _requirement(package or module)
        msg = f'The {name} destination needs the package {module}: run pip install "{requirement}"'
        raise MissingDriverError(msg)


def _requirement(package: str) -> str:
    """Return a package with the bounds that this project sets, which are known where it is installed.

    An extra of this project's own would not do: where the project is not installed, pip takes whatever bears its name.
    """
    from importlib import metadata  # noqa: PLC0415 - for a driver that is missing, that is: hardly ever

    with suppress(metadata.PackageNotFoundError):
        for requirement in metadata.requires(PACKAGE) or []:
            if re.match(rf"{re.escape(package)}\s*[<>=!~]", requirement):
                return requirement.partition(";")[0].strip()
    return package


def name_of(destination: object) -> str:
    """Return a destination's name, or its class's where it has none."""
    name = getattr(destination, "name", None)
    return name if isinstance(name, str) else type(destination).__name__


def batch_size_of(destination: object) -> int:
    """Return the most entries a destination wants at once."""
    size = getattr(destination, "batch_size", None)
    return size if isinstance(size, int) else LogDestination.batch_size
