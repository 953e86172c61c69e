"""Tool modules and tools that do what nobody expects cost themselves at most."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import StdioServer, ToolFailedError

if TYPE_CHECKING:
    from tests.support.project import Project

FIXTURES = Path(__file__).with_name("fixtures")

pytestmark = pytest.mark.anyio
LINES = 100


@pytest.mark.parametrize("length", [1, 2, 3])
async def test_errors_that_cause_each_other_are_recorded(project: Project, folder: Path, length: int) -> None:
    """`raise error from error` hangs nobody: the call has its answer and its entry, and the server goes on."""
    async with StdioServer(project, folder) as server:
        with pytest.raises(ToolFailedError, match="error 0"):
            await server.call("fail_in_a_circle", length=length)
        assert await server.call("say", count=LINES) == LINES
        await server.end()
        assert server.stored("tool_name = 'fail_in_a_circle' AND status = 'error' AND error_message = 'error 0'") == 1


@pytest.mark.parametrize(
    ("how", "gone"), [("loguru", "sink"), ("logging", "root logger"), ("dictConfig", "this project''s loggers")]
)
async def test_a_tool_module_that_sets_up_logging_takes_no_line_away(
    project: Project, folder: Path, how: str, gone: str
) -> None:
    """`logger.remove()`, `basicConfig(force=True)` and `dictConfig` at import are undone, and that is said once."""
    async with StdioServer(project, folder, PROBE_SET_UP=how) as server:
        await server.call("say", count=LINES)
        await server.end()
        assert server.lines() == LINES
        assert server.stored(f"level = 'WARNING' AND message LIKE 'a tool module removed or disabled %{gone}%'") == 1


async def test_a_tool_may_configure_its_stdout(project: Project, folder: Path) -> None:
    """What a tool prints to is not the real stdout, and can all that a real one can."""
    async with StdioServer(project, folder) as server:
        assert await server.call("configure_stdout") == "utf-8"


def test_a_question_to_the_client_and_an_error_of_the_protocol_are_recorded(project: Project, folder: Path) -> None:
    """A tool that asks for input has not failed; an MCPError reaches the client unchanged, and is a failure."""
    done = project.run_python(folder, FIXTURES / "unusual_outcomes.py")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(folder / "logs.db")) as connection:
        columns = "tool_name, status, level, error_type, error_message"
        found = connection.execute(f"SELECT {columns} FROM unified_logs WHERE tool_name IS NOT NULL ORDER BY id")
        assert found.fetchall() == [
            ("ask", "input_required", "INFO", None, None),
            ("refuse", "error", "ERROR", "mcp.shared.exceptions.MCPError", "not now"),
        ]
