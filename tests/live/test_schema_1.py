"""Stores of the first schema are read, written on, and sent across; Convex's has a module of its own."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from scripts.project import ROOT
from tests.support.processes import LineServer

from .targets import ElasticsearchTarget, PostgresTarget, Target, unique

if TYPE_CHECKING:
    from tests.support.project import Project

    from .conftest import MakeTarget

OLD_FILE = Path(__file__).with_name("fixtures") / "schema_1.sql"
DESTINATION_TESTS = ROOT / "{{cookiecutter.project_slug}}" / "tests" / "logging" / "destinations"


@pytest.mark.parametrize("name", ["elasticsearch", "postgres"])
def test_entries_of_both_schemas_are_in_one_store_of_the_first(
    project: Project, make_target: MakeTarget, tmp_path: Path, name: str
) -> None:
    """A new server writes to it, old entries are resent to it from an old file, and `logs` reads all of them."""
    target, text = make_target(name), unique()
    create_store(target)
    settings = {**target.alone, "ENABLE_LOCAL_LOGGING": "true"}
    create_file(tmp_path / "logs.db", text)
    with LineServer(project, tmp_path, **settings) as server:
        server.call("echo", text=text)
        target.wait_for(text, "output_summary")
        assert server.end() == 0

    sent = project.run(tmp_path, "logs", "resend", "--to", name, **settings)
    again = project.run(tmp_path, "logs", "resend", "--to", name, **settings)
    read = project.run(tmp_path, "logs", "--json", "--from", name, **settings)
    shown = project.run(tmp_path, "logs", "show", f"{text}-1", "--from", name, **settings)

    assert (sent.returncode, again.returncode) == (0, 0), sent.stderr + again.stderr
    assert len(target.find(text, "error_message", "entry_id")) == 2
    ((_, method, size),) = target.find(text, "output_summary", "method", "output_size")
    assert (method, size > 0) == ("tools/call", True)
    entries = {entry["entry_id"]: entry for entry in map(json.loads, read.stdout.splitlines())}
    old = entries[f"{text}-1"]
    assert (old["tool_name"], old["input_args"], old["method"], old["traceback"]) == ("divide", {"a": 1}, None, None)
    assert [entry["method"] for entry in entries.values() if entry["output_summary"] == text] == ["tools/call"]
    assert "ZeroDivisionError" in shown.stdout
    assert "Traceback of old" in shown.stdout


def create_file(path: Path, text: str) -> None:
    """Create a SQLite file of the first schema with a failed call."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD_FILE.read_text().replace("NOW", now).replace("TEXT raised", f"{text} raised"))
        connection.execute("update unified_logs set error_message = ?", (text,))
        connection.execute("update unified_logs set entry_id = replace(entry_id, 'TEXT', ?)", (text,))
        connection.commit()


def create_store(target: Target) -> None:
    """Create what a project of the first schema created in the backend."""
    if isinstance(target, PostgresTarget):
        statements = (DESTINATION_TESTS / "postgres" / "fixtures" / "schema_1.sql").read_text()
        asyncio.run(_execute(target.dsn, statements.replace('"mcp_logs"', f'"{target.table}"')))
    elif isinstance(target, ElasticsearchTarget):
        template = (DESTINATION_TESTS / "elasticsearch" / "fixtures" / "schema_1.json").read_text()
        with target.client() as client:
            body = json.loads(template.replace("mcp-logs", target.prefix))
            client.put(f"/_index_template/{target.prefix}", json=body).raise_for_status()
            client.put(f"/{target.prefix}-{datetime.now(UTC):%Y.%m.%d}").raise_for_status()


async def _execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=20)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()
