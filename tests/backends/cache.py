"""Keep what was downloaded in `.cache/` at the checkout's root, for all workers and all runs."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from .errors import SoftwareError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2] / ".cache"
DEADLINE = 1200.0


def cached(name: str, build: Callable[[Path], None], *, root: Path = ROOT) -> Path:
    """Return the folder `name` of the cache, which `build` fills the first time.

    `build` gets an empty folder beside the final one, which is renamed only when `build` has returned: what was
    interrupted is begun again. Others who ask for the same name wait for it. Raises `SoftwareError` after 20 minutes.
    """
    target = root / name
    if target.is_dir():
        return target
    _make_root(root)
    try:
        with FileLock(root / f"{name}.lock", timeout=DEADLINE):
            if not target.is_dir():
                _build(target, build)
    except Timeout as error:
        msg = f"{name} cannot be had: another process has been at it for {DEADLINE:.0f} s, and holds {error.lock_file}"
        raise SoftwareError(msg) from error
    return target


def _make_root(root: Path) -> None:
    """Create the cache, which keeps itself out of git."""
    root.mkdir(parents=True, exist_ok=True)
    ignore = root / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def _build(target: Path, build: Callable[[Path], None]) -> None:
    """Fill the folder under a temporary name, then rename it."""
    partial = target.with_name(f"{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    started = time.monotonic()
    _say(f"{target.name}: getting it ready in {target.parent}, once")
    try:
        build(partial)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _say(f"{target.name}: ready after {time.monotonic() - started:.0f} s, {_megabytes(target):.0f} MB")


def _megabytes(folder: Path) -> float:
    """Return the size of all files in the folder, in MB."""
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6


def _say(line: str) -> None:
    """Write one line of progress to stderr."""
    sys.stderr.write(f"backends: {line}\n")
    sys.stderr.flush()
