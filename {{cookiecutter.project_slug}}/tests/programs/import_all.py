"""Import every module of the package, and check that this has no side effects."""

import importlib
import logging
import pkgutil
import socket
import sys
import threading

import {{cookiecutter.project_slug}}


def refuse(*_: object) -> None:
    """Raise instead of connecting."""
    msg = "a socket was used during an import"
    raise AssertionError(msg)


socket.socket.connect = socket.socket.bind = refuse
for module in pkgutil.walk_packages({{cookiecutter.project_slug}}.__path__, "{{cookiecutter.project_slug}}."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

from loguru import logger  # noqa: E402 - imported by the package, too

from {{cookiecutter.project_slug}}.logging.destinations import LOCAL, PRODUCTION  # noqa: E402

assert logging.getLogger().handlers == []
assert len(logger._core.handlers) == 1
assert threading.active_count() == 1
drivers = {name for kind in {**LOCAL, **PRODUCTION}.values() for name in kind.driver_loggers}
assert not {"yaml", *drivers} & sys.modules.keys()
