"""Bake a project into `.demo/`, install it there, call one of its tools, and show what was recorded."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

from .project import ROOT, bake, uv

FOLDER = ROOT / ".demo"
STORE = FOLDER / "logs.db"


def main() -> None:
    """Raise if a step fails; the last one fails if nothing was recorded."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    say("Baking a project with the default answers, and with the page, into .demo")
    project = bake(FOLDER, {"include_admin_ui": "yes"})
    say("Installing it into .demo/venv")
    uv("venv", FOLDER / "venv", "--python", sys.executable)
    uv("pip", "install", "--python", FOLDER / "venv" / "bin" / "python", "--editable", project)
    server = project.name.replace("_", "-")
    say("Calling its tool echo")
    run(server, "call", "echo", "text=Hello from the demo")
    say("What was recorded")
    run(server, "logs")
    say("All about the last call")
    run(server, "logs", "show", "last")
    say("Over to you")
    print(f"  export SQLITE_PATH={shlex.quote(str(STORE))}")
    command = (FOLDER / "venv" / "bin" / server).relative_to(ROOT)
    print(f"  {command} logs show last")
    print(f"  {command} ui                # the same in your browser\n")


def say(line: str) -> None:
    """Announce the next step."""
    print(f"\n# {line}", flush=True)


def run(*command: str) -> None:
    """Show a command of the project's environment and run it with all its data in `.demo`; raise if it fails."""
    print("$", shlex.join(command), flush=True)
    scripts = FOLDER / "venv" / "bin"
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "SQLITE_PATH": str(STORE),
    }
    subprocess.run([scripts / command[0], *command[1:]], cwd=FOLDER, env=environment, check=True)


if __name__ == "__main__":
    main()
