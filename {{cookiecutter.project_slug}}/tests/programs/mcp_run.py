"""Serve as `mcp run PATH` does: load the app as a top-level module with another name.

Arguments: the path of the app, and a folder with more tools.
"""

import importlib.util
import logging
import sys

from {{cookiecutter.project_slug}} import tools

path, folder = sys.argv[1:]
tools.__path__.append(folder)
for name in list(sys.modules):
    if name.startswith("{{cookiecutter.project_slug}}.") and not name.startswith("{{cookiecutter.project_slug}}.tools"):
        del sys.modules[name]
spec = importlib.util.spec_from_file_location("server_module", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
assert logging.getLogger().handlers == []
assert module.mcp is module.server is module.app
module.mcp.run("stdio")
