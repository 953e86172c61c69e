"""What destinations share about their drivers: the install check, and one way to translate their exceptions."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..errors import DeliveryError, LoggingError, MissingDriverError
from .base import LogDestination

PACKAGE = __name__.partition(".")[0]  # the import package of this project


def require_driver(module: str, *, name: str, package: str | None = None) -> None:
    """Raise MissingDriverError if `module`, which `package` provides, is not installed; do not import it."""
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


def declared(destination: object, attribute: str) -> Any:
    """Return what a destination declares, or the default of LogDestination if that has another type, as in a mock."""
    default = getattr(LogDestination, attribute)
    value = getattr(destination, attribute, default)
    return value if isinstance(value, type(default)) else default
