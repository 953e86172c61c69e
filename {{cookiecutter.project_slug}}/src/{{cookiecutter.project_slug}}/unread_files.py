"""The configuration files in the working folder, and why one of them cannot be read."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

ENV_FILE = Path(".env")
"""The variables that are read if the file exists in the working folder."""
CONFIG_FILE = Path("config.yaml")
"""The settings that are read if the file exists in the working folder and no other file is named."""


def why_unread(path: Path) -> str | None:
    """Return why one of these files cannot be read; None if it can be, or if there is no such file.

    `.env` must be UTF-8; the parser of YAML reports the encoding of its file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe can be read only once
            return None
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:  # also if the working folder may not be searched
        return error.strerror or str(error)
    return _why_not_utf_8(content) if path == ENV_FILE else None


def describe_unread(*paths: Path) -> Iterator[str]:
    """Yield a sentence about those of the files that cannot be read, if there are any."""
    reasons = {str(path): reason for path in paths if (reason := why_unread(path))}
    if reasons:
        why = ", ".join(dict.fromkeys(reasons.values()))
        yield f"{' and '.join(reasons)} cannot be read ({why}): settings from there are not used"


def _why_not_utf_8(content: bytes) -> str | None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"line {line} is not UTF-8"
    return None
