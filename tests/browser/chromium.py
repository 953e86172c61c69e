"""Chromium from an npm package that a lock file names, unpacked once and driven by Playwright."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error, sync_playwright

from tests.backends import BackendError, node
from tests.backends.cache import cached
from tests.backends.errors import SoftwareError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

NPM = Path(__file__).with_name("npm")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-lcd-text")
"""Root cannot use the sandbox, there may be no graphics card, and screenshots do not depend on a screen."""
WITH_LIBRARIES = {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x"}
"""Where the package also unpacks the shared libraries that Chromium needs."""


@contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium; raise BackendError if it cannot be installed or does not start."""
    modules = node.packages(NPM)
    folder = cached(f"{modules.parent.name}-unpacked", lambda folder: _unpack(modules, folder))
    libraries = f"{os.environ.get('LD_LIBRARY_PATH', '')}:{folder / 'al2023' / 'lib'}".removeprefix(":")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=folder / "chromium",
                args=[*OPTIONS],
                env={**os.environ, "LD_LIBRARY_PATH": libraries},
            )
        except Error as error:
            msg = f"Chromium does not start: {error}"
            raise BackendError(msg) from error
        try:
            yield browser
        finally:
            browser.close()


def _unpack(modules: Path, folder: Path) -> None:
    """Unpack the browser into a folder that may still be renamed."""
    done = subprocess.run(
        [node.node(), NPM / "unpack.mjs", modules],
        env={**os.environ, **WITH_LIBRARIES, "TMPDIR": os.fspath(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"Chromium cannot be unpacked: {done.stderr}"
        raise SoftwareError(msg)
