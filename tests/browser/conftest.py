"""The installed project with its page, the browser, and pages that are watched while a test uses them."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.backends import BackendError
from tests.backends.cache import cached
from tests.support.project import SLUG, Project, install

from .chromium import launched
from .ui import Ui

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

FIXTURES = Path(__file__).with_name("fixtures")
ANSWERS = {"project_name": "Travel", "project_slug": SLUG, "include_admin_ui": "yes"}
CALLS = 600
PATIENCE_MS = 15_000
LOOPBACK = "127.0.0.1"


class Serve(Protocol):
    """Serve the page of what a folder records until the end of the test."""

    def __call__(self, folder: Path, *options: str, **settings: str) -> Ui:
        """Return the running page; settings are environment variables."""


class Visit(Protocol):
    """Open a page in its own browser context, and watch it until the end of the test."""

    def __call__(self, ui: Ui, place: str = "/", *, may_fail: bool = False, **options: Any) -> Page:
        """Return the page at a place; `may_fail` allows that requests fail, and `options` are those of the context."""


@pytest.fixture(scope="session")
def project(run_folder: Path) -> Project:
    """Return a project with the page, installed, with the tools of `fixtures/agency.py`."""
    build = partial(install, answers=ANSWERS, tools=FIXTURES / "agency.py")
    return Project(cached("with-page", build, root=run_folder))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start Chromium for this package; fail where that is impossible."""
    expect.set_options(timeout=PATIENCE_MS)
    with ExitStack() as stack:
        try:
            found = stack.enter_context(launched())
        except BackendError as error:
            reason = str(error)
        else:
            yield found
            return
    pytest.fail(reason, pytrace=False)


@pytest.fixture
def serve(project: Project) -> Iterator[Serve]:
    """Return what serves pages."""
    with ExitStack() as stack:

        def start(folder: Path, *options: str, **settings: str) -> Ui:
            ui = Ui(project, folder, *options, **settings)
            stack.callback(ui.stop)
            ui.start()
            return ui

        yield start


@pytest.fixture
def visit(browser: Browser, serve: Serve) -> Iterator[Visit]:
    """Return what opens pages, which are closed before the server ends; none may log an error or leave loopback."""
    problems: list[str] = []
    with ExitStack() as stack:

        def open_page(ui: Ui, place: str = "/", *, may_fail: bool = False, **options: Any) -> Page:
            context = stack.enter_context(browser.new_context(**options))
            context.set_default_timeout(PATIENCE_MS)

            def hear(message: ConsoleMessage) -> None:
                is_expected = may_fail and message.text.startswith("Failed to load resource")
                if message.type in {"error", "warning"} and not is_expected:
                    problems.append(f"{message.type}: {message.text}")

            def see(request: Request) -> None:
                if urlsplit(request.url).hostname != LOOPBACK:
                    problems.append(f"asked {request.url}")

            context.on("console", hear)
            context.on("weberror", lambda error: problems.append(str(error.error)))
            context.on("request", see)
            page = context.new_page()
            page.goto(ui.url)
            if place != "/":
                page.goto(ui.origin + place)
            return page

        yield open_page
    assert problems == []


@pytest.fixture(scope="session")
def travel(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """Serve the page of many recorded calls, which no test changes."""
    folder = tmp_path_factory.mktemp("travel")
    done = project.run_python(folder, FIXTURES / "travel.py", folder / "logs.db", str(CALLS))
    assert done.returncode == 0, done.stderr
    ui = Ui(project, folder)
    ui.start()
    yield ui
    ui.stop()
