"""Load the tool modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from helpers import PROGRAMS
from mcp.server import MCPServer

from {{cookiecutter.project_slug}} import tools

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that takes the place of this project's tools."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setattr(tools, "__path__", [str(folder)])
    return folder


def test_modules_register_in_alphabetical_order_except_private_ones(folder: Path) -> None:
    """A module whose name begins with an underscore is not imported."""
    for name in ("ordered_b", "ordered_a", "_private"):
        (folder / f"{name}.py").write_text(f"def register(server):\n    server.append('{name}')\n")
    registered: list[str] = []
    tools.register_tools(registered)  # type: ignore[arg-type]
    assert registered == ["ordered_a", "ordered_b"]


@pytest.mark.parametrize("content", ["", "register = 1\n"])
def test_a_module_without_register_is_a_warning(folder: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    """The other modules are loaded; the warning names the module and what to do."""
    name = f"incomplete_{len(content)}"
    (folder / f"{name}.py").write_text(content)
    (folder / "other.py").write_text("def register(server):\n    server.append('other')\n")
    registered: list[str] = []
    tools.register_tools(registered)  # type: ignore[arg-type]
    assert registered == ["other"]
    (message,) = caplog.messages
    assert message.startswith(f"the tool module {name} has no function register(server): add one, or")


async def test_a_module_may_import_what_the_tools_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative imports find the modules that are not loaded."""
    monkeypatch.setattr(tools, "__path__", [str(PROGRAMS / "tools" / "without_register")])
    server = MCPServer("empty")
    tools.register_tools(server)
    assert await server.list_tools() == []
