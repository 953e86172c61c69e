"""Serve the tools in one more folder, as if its modules belonged to this project's `tools`."""

import sys

from {{cookiecutter.project_slug}} import tools
from {{cookiecutter.project_slug}}.cli import main

tools.__path__.append(sys.argv.pop(1))
raise SystemExit(main())
