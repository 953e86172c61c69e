"""Imports inside a generated package go one way, and `logging/` is closed.

Imports inside functions and under TYPE_CHECKING count. `from .base import x` is an import of `base`, not of the
package around it.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from scripts.project import everything_on

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path

    from tests.conftest import Baked

    Imports = dict[str, set[str]]
    """The modules of a package, each with those that it imports of the same package."""

PACKAGE = "package"
"""The name of a package's own `__init__.py`, which every module may import."""
ORDER = (
    ("__main__",),
    ("cli",),
    ("server",),
    ("tools",),
    ("parallel",),
    ("config",),
    ("choices", "config_file", "unread_files"),
    ("logging.unified_logger",),
    ("logging.pipeline",),
    ("logging.factory",),
    ("logging.destinations",),
    ("logging.capture", "logging.drain", "logging.entries", "logging.repeats", "logging.writer_thread"),
    ("logging.contents", "logging.histogram", "logging.query", "logging.settings", "logging.stats"),
    ("logging.errors",),
    ("logging.entry",),
    ("logging.correlation",),
    ("logging.forks", "logging.json_safe", "logging.printable", "logging.redaction", "logging.throttle"),
    ("logging",),
    (PACKAGE,),
)
"""Modules and packages; each may import those of its own line and of the lines below, but never in a circle."""


@pytest.fixture(scope="module")
def imports(baked: Baked) -> Imports:
    """Return what each module of a project with everything imports of its own package."""
    project = baked(everything_on())
    return imports_of(project / "src" / project.name)


def test_every_module_has_a_place_in_the_order(imports: Imports) -> None:
    """A new module at the top of the package or of `logging/` is added to `ORDER`."""
    assert [module for module in imports if line_of(module) is None] == []


def test_no_module_imports_one_above_it(imports: Imports) -> None:
    """The command imports the server, the server the configuration, the configuration logging; never the reverse."""
    upward = [(one, other) for one, other in pairs(imports) if (line_of(other) or 0) < (line_of(one) or 0)]
    assert sentences(upward, "which is above it") == []


def test_no_modules_import_each_other(imports: Imports) -> None:
    """There are no circles."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_logging_imports_nothing_of_the_package_around_it(imports: Imports) -> None:
    """`logging/` can be copied into another package as it is."""
    outward = [(one, other) for one, other in pairs(imports) if is_within(one, "logging") > is_within(other, "logging")]
    assert sentences(outward, "which is outside of logging") == []


def test_no_destination_imports_another(imports: Imports) -> None:
    """Each folder of `logging/destinations/` can be removed without the others."""
    folders = {
        module.split(".")[2]
        for module in imports
        if module.startswith("logging.destinations.") and module.count(".") > 2
    }
    assert folders
    across = [
        (one, other)
        for one, other in pairs(imports)
        if {destination_of(one), destination_of(other)} <= folders and destination_of(one) != destination_of(other)
    ]
    assert sentences(across, "which belongs to another destination") == []


@pytest.mark.parametrize(
    ("statement", "imported"),
    [
        ("from .base import thing", "destinations.base"),
        ("from . import base", "destinations.base"),
        ("from . import thing", "destinations"),
        ("from .. import destinations", "destinations"),
        ("from ..errors import thing", "errors"),
        ("from ..destinations.base import thing", "destinations.base"),
        ("import top.errors", "errors"),
        ("from top.destinations import base", "destinations.base"),
        ("from top import thing", PACKAGE),
        ("def run():\n    from ..errors import thing", "errors"),
        ("if TYPE_CHECKING:\n    from ..errors import thing", "errors"),
    ],
)
def test_every_form_of_import_is_found(tmp_path: Path, statement: str, imported: str) -> None:
    """Relative or absolute, of a module or of a name in it, wherever the statement is."""
    package = tmp_path / "top"
    for name in ("__init__.py", "errors.py", "destinations/__init__.py", "destinations/base.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    (package / "destinations" / "console.py").write_text(statement, encoding="utf-8")
    assert imports_of(package)["destinations.console"] == {imported}


def imports_of(package: Path) -> Imports:
    """Return the modules of a package, each with those that it imports of the same package."""
    files = {_name(path.relative_to(package).with_suffix("").parts): path for path in package.rglob("*.py")}
    return {
        module: {_existing(target, files) for target in _targets(path, package)} - {module}
        for module, path in files.items()
    }


def _targets(path: Path, package: Path) -> Iterator[tuple[str, ...]]:
    """Yield the dotted parts, below the package, of each name that a file imports from the package."""
    folder = (package.name, *path.relative_to(package).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[tuple[str, ...]] = []
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = folder[: len(folder) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            names = [(*start, *module, alias.name) for alias in node.names]
        yield from (parts[1:] for parts in names if parts[0] == package.name)


def _existing(parts: Sequence[str], modules: Container[str]) -> str:
    """Return the module that an imported name is, or is in."""
    while _name(parts) not in modules:
        parts = parts[:-1]
    return _name(parts)


def _name(parts: Sequence[str]) -> str:
    return ".".join(part for part in parts if part != "__init__") or PACKAGE


def pairs(imports: Imports) -> Iterator[tuple[str, str]]:
    """Yield each importing module with each module that it imports."""
    return ((one, other) for one, others in imports.items() for other in sorted(others))


def sentences(found: list[tuple[str, str]], problem: str) -> list[str]:
    """Describe pairs of modules."""
    return [f"{one} imports {other}, {problem}" for one, other in found]


def line_of(module: str) -> int | None:
    """Return the number of a module's line in `ORDER`; packages other than `logging` stand for all their modules."""
    for number, names in enumerate(ORDER):
        if any(module == name or (name != "logging" and is_within(module, name)) for name in names):
            return number
    return None


def is_within(module: str, package: str) -> bool:
    """Return whether a module is a package or in it."""
    return f"{module}.".startswith(f"{package}.")


def destination_of(module: str) -> str:
    """Return the module or folder of `logging/destinations/` that a module is or is in; empty for all others."""
    return (
        module.removeprefix("logging.destinations.").partition(".")[0]
        if is_within(module, "logging.destinations")
        else ""
    )
