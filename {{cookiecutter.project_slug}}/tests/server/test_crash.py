"""Where and why a start failed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers import PROGRAMS
from mcp.server import MCPServer

from {{cookiecutter.project_slug}} import tools
from {{cookiecutter.project_slug}}.server.crash import last_line, place_of

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], BaseException]:
    """Return a function that loads the tool modules in a folder and returns what they raise."""

    def load(folder: Path) -> BaseException:
        monkeypatch.setattr(tools, "__path__", [str(folder)])
        with pytest.raises((Exception, SystemExit)) as raised:
            tools.register_tools(MCPServer("crash"))
        return raised.value

    return load


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("missing_import", 5, "ModuleNotFoundError: No module named 'not_installed_anywhere'"),
        ("exiting", 5, "SystemExit: set WEATHER_URL"),
    ],
)
def test_the_place_is_in_the_tool_module(
    crash: Callable[[Path], BaseException], name: str, line: int, reason: str
) -> None:
    """The reason is the last line of the traceback."""
    folder = PROGRAMS / "tools" / name
    error = crash(folder)
    assert place_of(error) == f"{folder / name}.py, line {line}"
    assert last_line(error) == reason


def test_the_place_is_in_the_tool_module_if_a_library_raised(
    crash: Callable[[Path], BaseException], tmp_path: Path
) -> None:
    """The line of the library says less than the line that called it."""
    (tmp_path / "asking_json.py").write_text("import json\n\njson.loads('none')\n")
    assert place_of(crash(tmp_path)) == f"{tmp_path / 'asking_json.py'}, line 3"


def test_the_place_of_a_syntax_error_is_the_line_that_cannot_be_read(
    crash: Callable[[Path], BaseException], tmp_path: Path
) -> None:
    """It is not part of the traceback."""
    (tmp_path / "unreadable.py").write_text("def register(server):\n    return (\n")
    assert place_of(crash(tmp_path)) == f"{tmp_path / 'unreadable.py'}, line 2"


def test_the_place_of_any_other_error_is_its_last_line() -> None:
    """An error without a text is its class."""
    with pytest.raises(ValueError, match=r"^$") as raised:
        raise ValueError
    assert place_of(raised.value).startswith(f"{Path(__file__)}, line ")
    assert last_line(raised.value) == "ValueError"
