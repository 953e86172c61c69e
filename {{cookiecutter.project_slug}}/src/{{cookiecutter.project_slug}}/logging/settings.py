"""The settings of the logging stack that do not belong to one destination."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from .errors import SettingError

TIMEOUT_SHARE = 0.8
"""Share of the write timeout after which an attempt ends by itself."""
Level = Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"]

_IPV6 = re.compile(r"\s*\[[0-9A-Fa-f.]*:[^\s\[\],\"']*\]")


def split_list(value: object) -> object:
    """Turn a comma list or a JSON list into a list of stripped, non-empty strings; leave anything else alone.

    A JSON string is a comma list whose quotes were kept, as compose files keep them. What begins as a JSON list, and
    neither is one nor begins with an IPv6 address, is refused: a key that is to be redacted would not be.
    """
    if not isinstance(value, str):
        return value
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        if value.lstrip().startswith("[") and not _IPV6.match(value):
            msg = 'begins as a JSON list and is none: write a,b or ["a", "b"]'
            raise ValueError(msg) from None
        parsed = value
    if isinstance(parsed, str):
        parsed = parsed.split(",")
    return [text for item in parsed if (text := str(item).strip())] if isinstance(parsed, list) else value


TextList = Annotated[list[str], NoDecode, BeforeValidator(split_list)]
"""A list that an environment variable may give as `a,b` or as JSON."""


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


UpperCase = BeforeValidator(_upper)
"""What lets a word of capitals be given in any case."""


def full_path(path: str | os.PathLike[str], *, setting: str) -> Path:
    """Return the file that a setting names from the folder we are in now, which a tool may leave later.

    Raises SettingError where it begins with a home, or a folder, that is not there.
    """
    try:
        return Path(path).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        msg = f"{setting} is {os.fspath(path)!r}: {error} Name the file by its full path"
        raise SettingError(msg) from error


class LogSettings(BaseModel):
    """What is logged, where to, and how hard delivery is tried."""

    enable_local_logging: bool = Field(default=True, description="Write entries to the local destination.")
    enable_production_logging: bool = Field(default=False, description="Write entries to the production destinations.")
    log_destination_type: str = Field(
        default="",
        description="Production destinations, comma-separated; also `package.module:Class` for one of your own.",
    )
    log_level: Annotated[Level, UpperCase] = Field(
        default="INFO", description="Least severe level that is logged: TRACE to CRITICAL."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How stderr shows entries: text or json.")
    log_retention_days: int = Field(
        default=30, ge=0, le=36_500, description="Days entries are kept; 0 keeps them for good."
    )
    log_retry_attempts: int = Field(default=2, ge=1, le=100, description="Attempts per batch before it waits.")
    log_retry_delay_ms: int = Field(
        default=50, ge=0, le=60_000, description="Milliseconds before the second attempt; grows with each."
    )
    log_write_timeout_ms: int = Field(
        default=5_000, ge=1, le=600_000, description="Milliseconds one attempt may take before it counts as failed."
    )
    log_drain_timeout_ms: int = Field(
        default=1_000, ge=0, le=600_000, description="Milliseconds the exit may wait for entries to be delivered."
    )
    log_buffer_size: int = Field(
        default=10_000, ge=1, le=10_000_000, description="Entries one destination may have waiting; the oldest go."
    )
    log_max_text_length: int = Field(
        default=10_000, ge=100, le=1_000_000, description="Characters kept of one text; the full size is noted."
    )
    log_redact_keys: TextList = Field(
        default=[], description="More argument names whose values are never logged, comma-separated."
    )

    @property
    def attempt_timeout(self) -> float:
        """Seconds after which an attempt ends by itself, so that it can say why: a share of the write timeout."""
        return self.log_write_timeout_ms / 1000 * TIMEOUT_SHARE
