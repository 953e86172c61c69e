"""A server of schema 2 delivers everything to a deployment whose functions are those of schema 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.backends import Convex
from tests.backends.convex import SCHEMA_1
from tests.support.processes import LineServer

from .targets import ConvexTarget, unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

FIELDS = ("output_summary", "method", "output_size", "extra_data")


def test_new_fields_are_written_and_read_in_extra_data(project: Project, tmp_path: Path) -> None:
    """Each entry arrives, one line asks to deploy the functions again, and `logs` reads what is there."""
    text = unique()
    with Convex(tmp_path / "convex", functions=SCHEMA_1) as outdated:
        target = ConvexTarget(outdated)
        with LineServer(project, tmp_path / "server", **target.alone) as server:
            server.call("echo", text=text)
            assert server.end() == 0
        ((_, method, size, extra),) = target.find(text, *FIELDS)
        read = project.run(tmp_path / "server", "logs", "--json", "--tool", "echo", **target.alone)

    assert (method, size) == (None, None)
    assert (extra["method"], extra["output_size"] > 0) == ("tools/call", True)
    assert server.stderr_text().count("npx convex deploy") == 1, server.stderr_text()
    assert extra in [entry["extra_data"] for entry in map(json.loads, read.stdout.splitlines())]


def test_entries_are_resent_across_a_deploy(project: Project, tmp_path: Path) -> None:
    """What the old functions stored is not stored again; what they missed arrives with the new fields."""
    before, after = unique(), unique()
    convex, folder = tmp_path / "convex", tmp_path / "server"
    with Convex(convex, functions=SCHEMA_1) as outdated:
        target = ConvexTarget(outdated)
        settings = {**target.alone, "ENABLE_LOCAL_LOGGING": "true"}
        _echo(project, folder, before, **settings)
        target.wait_for(before, "output_summary")
    _echo(project, folder, after, **settings)

    with Convex(convex):
        resent = project.run(folder, "logs", "resend", **settings)
        (old,), (new,) = target.find(before, *FIELDS), target.find(after, *FIELDS)

    assert resent.returncode == 0, resent.stderr
    assert (old[1], old[3]["method"]) == (None, "tools/call")
    assert (new[1], new[2] > 0, "method" in (new[3] or {})) == ("tools/call", True, False)


def _echo(project: Project, folder: Path, text: str, **settings: str) -> None:
    """Call `echo` on a server that starts for it and ends."""
    with LineServer(project, folder, **settings) as server:
        server.call("echo", text=text)
        assert server.end() == 0
