"""The filters of a query, the same for every readable destination."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from .errors import SettingError
from .settings import Level

MAX_LIMIT = 10_000
MAX_OFFSET = 2**31
LEVELS: tuple[Level, ...] = get_args(Level)  # the levels, least severe first
TEXT_FIELDS = ("message", "error_message", "error_type", "output_summary", "traceback", "tool_name", "target")
"""The fields that the `text` filter searches, besides the arguments."""
EQUAL_FIELDS = (
    "correlation_id", "tool_name", "log_type", "status", "client_name", "principal", "error_type", "method"
)  # fmt: skip
"""The fields that a filter of the same name matches exactly."""


def _levels(value: object) -> object:
    if value is None:
        return ()
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, tuple | list | set | frozenset) or not names:
        msg = "Input should be the name of a level, such as WARNING, or several names"
        raise ValueError(msg)
    return tuple(name.upper() if isinstance(name, str) and name.upper() in LEVELS else name for name in names)


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Name = Annotated[str, Field(min_length=1)]
Levels = Annotated[tuple[Name, ...], BeforeValidator(_levels)]


class LogQuery(BaseModel):
    """The filters of a query; None matches everything.

    `level` is one level or several; loguru's own levels match in any case. `since` is inclusive and `until` exclusive;
    naive datetimes are taken as UTC. `text` is a case-insensitive substring, without wildcards, of one of TEXT_FIELDS,
    or of the arguments if the destination can search them. `any_id` matches the beginning or the end of an entry id or
    a correlation id. `slowest` sorts by duration, longest first, instead of by time, and leaves out entries without
    one.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    correlation_id: str | None = None
    tool_name: str | None = None
    level: Levels = ()
    log_type: str | None = None
    status: str | None = None
    client_name: str | None = None
    principal: str | None = None
    error_type: str | None = None
    method: str | None = None
    any_id: Name | None = None
    min_duration_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    slowest: bool = False
    since: Moment | None = None
    until: Moment | None = None
    text: str | None = None
    limit: int = Field(default=50, ge=1, le=MAX_LIMIT)
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET)

    @classmethod
    def of_calls(cls, **filters: Any) -> Self:
        """Validate filters as `of` does, for the tool calls among the matching entries."""
        return cls.of(**{**filters, "log_type": "tool_execution"})

    @classmethod
    def of(cls, **filters: Any) -> Self:
        """Validate filters; raise SettingError that names the filter, its value and what is valid."""
        try:
            return cls(**filters)
        except ValidationError as error:
            fault = error.errors()[0]
            name = fault["loc"][0]
            if name not in cls.model_fields:
                msg = f"Unknown filter {name!r}; the filters are {', '.join(cls.model_fields)}"
            else:
                msg = f"The filter {name} is {filters.get(str(name))!r}: {fault['msg'].removeprefix('Value error, ')}"
            raise SettingError(msg) from error

    @property
    def equals(self) -> dict[str, str]:
        """The filters that match one field exactly."""
        return {name: value for name in EQUAL_FIELDS if (value := getattr(self, name)) is not None}
