"""Convex: the functions that the template ships, run by the official `convex-test` behind HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx

from .backend import Backend, remembered
from .node import node, packages
from .processes import ServerProcess, free_ports

HERE = Path(__file__).with_name("convex")
FUNCTIONS = Path(__file__).parents[2] / "{{cookiecutter.project_slug}}" / "convex"
SCHEMA_1 = HERE / "schema_1"
"""The functions before schema 2, as many deployments still have them."""
API_KEY = "local-test-key"
"""What the generated project's tests use unless TEST_CONVEX_API_KEY says otherwise."""


class Convex(Backend):
    """One deployment of the functions in a folder; what they stored survives a restart, also after SIGKILL."""

    def __init__(self, workdir: Path, *, functions: Path = FUNCTIONS) -> None:
        super().__init__(workdir, ServerProcess("Convex", workdir))
        self._kept = remembered(workdir, port=str(free_ports(1)[0]), api_key=API_KEY)
        self._functions = functions
        self.url = f"http://127.0.0.1:{self._kept['port']}"
        self.api_key = self._kept["api_key"]

    @property
    def address(self) -> str:
        """Return the URL."""
        return self.url

    def prepare(self) -> None:
        """Install the packages."""
        packages(HERE)

    def command(self) -> list[str]:
        """Return the command that runs the functions."""
        folders = (self._functions, packages(HERE).parent, self.workdir)
        return [node(), os.fspath(HERE / "server.mjs"), *map(os.fspath, folders)]

    def answers(self) -> bool:
        """Tell whether a query is answered."""
        try:
            with self.client(timeout=5) as client:
                return client.get("/logs/query", params={"limit": 1}).is_success
        except httpx.HTTPError:
            return False

    def run(self, name: str, **arguments: object) -> object:
        """Call an internal function such as `logs:expire`, as `npx convex run` does, and return its result."""
        with self.client() as client:
            result: object = client.post("/.run", json={"name": name, "args": arguments}).raise_for_status().json()
            return result

    def set(self, name: str, value: str) -> None:
        """Set a variable of the deployment, as `npx convex env set` does."""
        with self.client() as client:
            client.post("/.env", json={"name": name, "value": value}).raise_for_status()

    def client(self, *, timeout: float = 20) -> httpx.Client:
        """Return a client with the key; no proxy of the environment may stand between us and loopback."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout, trust_env=False)


def ask(*question: str, functions: Path = FUNCTIONS) -> Any:
    """Return what the functions in a folder do beyond a deployment's reach; `ask.mjs` lists the questions."""
    command = [node(), *map(os.fspath, (HERE / "ask.mjs", functions, packages(HERE))), *question]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def check_types(workdir: Path, *, functions: Path = FUNCTIONS) -> str:
    """Return what TypeScript's compiler has against the functions in a folder: nothing is the empty text."""
    project = workdir / "types"
    shutil.copytree(functions, project / "convex")
    (project / "node_modules").symlink_to(packages(HERE))
    compiler = project / "node_modules" / "typescript" / "bin" / "tsc"
    command = [node(), os.fspath(compiler), "--project", os.fspath(project / "convex")]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
