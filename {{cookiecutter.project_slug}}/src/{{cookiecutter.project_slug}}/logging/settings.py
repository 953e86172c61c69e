"""Settings of the logging stack, beyond those of a single destination."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr
from pydantic_settings import NoDecode

from .errors import PathError, SettingError

TIMEOUT_SHARE = 0.8  # share of the write timeout after which an attempt ends itself
Method = Literal["tools/call", "resources/read", "prompts/get"]
Level = Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"]

_IPV6 = re.compile(r"\s*\[[0-9A-Fa-f.]*:[^\s\[\],\"']*\]")


def split_list(value: object) -> object:
    """Split a comma list or a JSON list into stripped, non-empty strings; return other values unchanged.

    A JSON string is treated as a comma list, because compose files keep the quotes. Raise ValueError for a broken JSON
    list: its first item would keep the bracket. IPv6 addresses, which also begin with a bracket, are allowed.
    """
    if not isinstance(value, str):
        return value
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        if value.lstrip().startswith("[") and not _IPV6.match(value):
            msg = 'is not a valid JSON list: write a,b or ["a", "b"]'
            raise ValueError(msg) from None
        parsed = value
    if isinstance(parsed, str):
        parsed = parsed.split(",")
    return [text for item in parsed if (text := str(item).strip())] if isinstance(parsed, list) else value


TextList = Annotated[list[str], NoDecode, BeforeValidator(split_list)]
"""A list that an environment variable gives as `a,b` or as JSON."""


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


UpperCase = BeforeValidator(_upper)  # accept the value in any case


def full_path(path: str | os.PathLike[str], *, setting: str) -> Path:
    """Return the absolute path of a file; raise PathError if the home or the working folder does not exist.

    Raise SettingError if no file can have this path.
    """
    text = os.fspath(path)
    if "\0" in text:
        msg = f"{setting} is {text!r}, but the path of a file contains no NUL"
        raise SettingError(msg)
    try:
        return Path(path).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        msg = f"{setting} is {text!r}, but {_missing_folder(text, error)}: use the full path of a file"
        raise PathError(msg) from error


def _missing_folder(path: str, error: Exception) -> str:
    """Return which folder does not exist: the working folder of a relative path, or the home folder of `~` or `~user`.

    `expanduser` raises RuntimeError for both of the latter.
    """
    if isinstance(error, OSError):
        return "the working folder does not exist"
    user = Path(path).parts[0].removeprefix("~")
    return f"there is no user {user!r}" if user else "this user has no home folder"


class LogSettings(BaseModel):
    """What is logged, where it goes, and how delivery behaves."""

    _problems: dict[str, str] = PrivateAttr(default_factory=dict)

    enable_local_logging: bool = Field(default=True, description="Write entries to the local destination.")
    enable_production_logging: bool = Field(default=False, description="Write entries to production destinations.")
    log_destination_type: str = Field(
        default="",
        description="Production destinations, comma-separated; `package.module:Class` names one of your own.",
    )
    log_level: Annotated[Level, UpperCase] = Field(default="INFO", description="Minimum log level: TRACE to CRITICAL.")
    log_format: Literal["text", "json"] = Field(default="text", description="Format of stderr: text or json.")
    log_retention_days: int = Field(default=30, ge=0, le=36_500, description="Days to keep entries; 0 is forever.")
    log_retry_attempts: int = Field(default=2, ge=1, le=100, description="Maximum attempts per batch.")
    log_retry_delay_ms: int = Field(default=50, ge=0, le=60_000, description="Milliseconds before the second attempt.")
    log_write_timeout_ms: int = Field(default=5_000, ge=1, le=600_000, description="Milliseconds for each attempt.")
    log_drain_timeout_ms: int = Field(default=1_000, ge=0, le=600_000, description="Milliseconds to deliver at exit.")
    log_buffer_size: int = Field(default=10_000, ge=1, le=10_000_000, description="Entries per buffer; the oldest go.")
    log_max_text_length: int = Field(default=10_000, ge=100, le=1_000_000, description="Characters kept of each text.")
    log_redact_keys: TextList = Field(default=[], description="More keys whose values are redacted, comma-separated.")
    log_redact_except: TextList = Field(default=[], description="Keys whose values are not redacted, comma-separated.")
    log_methods: Annotated[list[Method], NoDecode, BeforeValidator(split_list)] = Field(
        default=["tools/call", "resources/read", "prompts/get"],
        description="Requests to record: tools/call (always recorded), resources/read, prompts/get.",
    )
    log_arguments: bool = Field(default=True, description="Record the arguments of calls; false keeps only their size.")
    log_results: bool = Field(default=True, description="Record the results of calls; false keeps only their size.")
    log_call_starts: bool = Field(
        default=False, description="Also record when a call begins, for calls that never end."
    )

    @property
    def problems(self) -> dict[str, str]:
        """The destinations that cannot be built because one of their settings is malformed, with the reason."""
        return self._problems

    @property
    def attempt_timeout(self) -> float:
        """Seconds until an attempt ends itself: shorter than the write timeout, so that it can report the reason."""
        return self.log_write_timeout_ms / 1000 * TIMEOUT_SHARE
