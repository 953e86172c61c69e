"""What keeps the SQLite file from being used: one sentence, with the path and what to do."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from ...errors import DeliveryError

NAME_ANOTHER = "set SQLITE_PATH to a file that this user can create or write"
FREE_SPACE = "free some space, or set SQLITE_PATH to a file on another disk"
MOVE_AWAY = "move it away, or set SQLITE_PATH to another file"
FIXES = {
    sqlite3.SQLITE_PERM: NAME_ANOTHER,
    sqlite3.SQLITE_READONLY: NAME_ANOTHER,
    sqlite3.SQLITE_IOERR: NAME_ANOTHER,
    sqlite3.SQLITE_CANTOPEN: NAME_ANOTHER,
    sqlite3.SQLITE_FULL: FREE_SPACE,
    sqlite3.SQLITE_CORRUPT: MOVE_AWAY,
    sqlite3.SQLITE_NOTADB: MOVE_AWAY,
}
"""What to do about each fault of the file, by its code; other codes are of statements and locks."""
PRIMARY = 0xFF  # the bits of a code without those of its extension
KINDS = {
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def file_exists(path: Path) -> bool:
    """Return whether the file exists; raise DeliveryError for what is not a file.

    SQLite would wait for the other end of a pipe, and `/dev/stdin` may be where the server reads requests.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if (kind := KINDS.get(stat.S_IFMT(mode))) is not None:
        msg = f"{path} is a {kind}, not a file: {NAME_ANOTHER}"
        raise DeliveryError(msg)
    return True


def require_writable_folder(path: Path) -> None:
    """Raise DeliveryError if a file that does not exist cannot be created either."""
    folder = next(each for each in path.parents if each.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        msg = f"{path} does not exist and cannot be created in {folder}: {NAME_ANOTHER}"
        raise DeliveryError(msg)


def explain(path: Path, error: Exception) -> DeliveryError | None:
    """Return the sentence for a fault of the file; None for any other exception, such as a lock."""
    if isinstance(error, OSError):
        return _of_system(path, error) if error.strerror else None  # a TimeoutError has none
    fix = FIXES.get(getattr(error, "sqlite_errorcode", 0) & PRIMARY)
    if fix is None:
        return None
    refused = next(_refused(path), None) if fix is NAME_ANOTHER else None
    reason = f"this user may not read and write {refused}" if refused else str(error)
    return DeliveryError(f"{path} cannot be used: {reason}: {fix}")


def _of_system(path: Path, error: OSError) -> DeliveryError:
    where = f" ({error.filename})" if error.filename and Path(error.filename) != path else ""
    return DeliveryError(f"{path} cannot be used: {error.strerror}{where}: {NAME_ANOTHER}")


def _refused(path: Path) -> Iterator[Path]:
    """Yield which of the file, its journals and its folder this user may not read and write."""
    for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm"), path.parent):
        if each.exists() and not os.access(each, os.R_OK | os.W_OK):
            yield each
