"""What destinations share about their drivers: the install check, and one way to translate their exceptions."""

from __future__ import annotations

import importlib.util
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import DeliveryError, LoggingError, MissingDriverError
from .base import LogDestination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = __name__.partition(".")[0]
"""The import package of this project."""


def require_driver(module: str, *, name: str, package: str | None = None) -> None:
    """Raise MissingDriverError if `module` is not installed; do not import it.

    `name` is the destination; `package` provides the module if it has another name.
    """
    if importlib.util.find_spec(module) is None:
        requirement = _requirement(package or module)
        msg = f'The {name} destination needs the package {module}: run pip install "{requirement}"'
        raise MissingDriverError(msg)


def _requirement(package: str) -> str:
    """Return a package with the version bounds of this project, or just its name if the project is not installed."""
    from importlib import metadata  # noqa: PLC0415 - only needed for a missing driver

    with suppress(metadata.PackageNotFoundError):
        for requirement in metadata.requires(PACKAGE) or []:
            if re.match(rf"{re.escape(package)}\s*[<>=!~]", requirement):
                return requirement.partition(";")[0].strip()
    return package


@contextmanager
def translated_errors(translate: Callable[[Exception], DeliveryError | None]) -> Iterator[None]:
    """Replace an exception of the driver by its translation; one without a translation passes unchanged."""
    try:
        yield
    except LoggingError:
        raise
    except Exception as error:
        if (translation := translate(error)) is None:
            raise
        raise translation from error


def name_of(destination: object) -> str:
    """Return the name of a destination, or of its class."""
    name = getattr(destination, "name", None)
    return name if isinstance(name, str) else type(destination).__name__


def batch_size_of(destination: object) -> int:
    """Return the maximum batch of a destination."""
    size = getattr(destination, "batch_size", None)
    return size if isinstance(size, int) else LogDestination.batch_size


def driver_of(destination: object) -> str:
    """Return the driver module of a destination, or an empty string."""
    driver = getattr(destination, "driver", None)
    return driver if isinstance(driver, str) else ""


def driver_loggers_of(destination: object) -> tuple[str, ...]:
    """Return the loggers of a destination's driver."""
    names = getattr(destination, "driver_loggers", None)
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, (tuple, list)) else ()
