"""A server that goes away and comes back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.support.processes import LineServer

from .conftest import FIXTURES
from .helpers import rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

    from .conftest import Serve, Visit

READ = "flaky:Flaky"


def test_a_destination_that_cannot_be_read_is_announced_until_it_can(
    project: Project, tmp_path: Path, serve: Serve, visit: Visit
) -> None:
    """The banner says what the driver said; calls that were made meanwhile appear afterwards."""
    with LineServer(project, tmp_path) as server:
        server.call("quote", text="before")
        ui = serve(tmp_path, "--from", READ, PYTHONPATH=str(FIXTURES))
        page = visit(ui, may_fail=True)
        expect(rows(page)).to_have_count(1)
        (tmp_path / "away").touch()
        expect(page.get_by_role("alert")).to_contain_text("the server closed the connection")
        server.call("quote", text="meanwhile")
        (tmp_path / "away").unlink()
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(rows(page).first).to_contain_text("meanwhile")
        (tmp_path / "away").touch()
        page.reload()
        expect(page.get_by_text(re.compile("the server closed the connection")).first).to_be_visible()
        (tmp_path / "away").unlink()
        expect(rows(page)).to_have_count(2)


def test_the_end_of_the_command_is_announced(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """In each view; a new command has a new token, which the banner asks for, and its address shows the page again."""
    with LineServer(project, tmp_path) as server:
        server.call("quote", text="before")
    ui = serve(tmp_path)
    calls = visit(ui, may_fail=True)
    tools = visit(ui, "/?view=tools", may_fail=True)
    expect(rows(calls)).to_have_count(1)
    expect(tools.get_by_role("rowheader", name="quote")).to_be_visible()
    ui.stop()
    for page in (calls, tools):
        expect(page.get_by_role("alert")).to_contain_text("The page's server does not answer.")
    ui.start()
    for page in (calls, tools):
        expect(page.get_by_role("alert")).to_contain_text("Open the address that the command printed")
    calls.goto(ui.url)
    expect(rows(calls)).to_have_count(1)
    expect(calls.get_by_role("alert")).to_be_hidden()
