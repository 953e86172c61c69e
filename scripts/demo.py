"""Bake a project into `.demo/`, install it there, call a tool over stdio, and show what was recorded."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from .project import ROOT, bake, uv

FOLDER = ROOT / ".demo"
CALL_TOOL = Path(__file__).with_name("call_tool.py")


def main() -> int:
    """Return 0 if the call was recorded."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    say("Baking a project with the default answers into .demo")
    project = bake(FOLDER)
    say("Installing it into .demo/venv")
    uv("venv", FOLDER / "venv", "--python", sys.executable)
    uv("pip", "install", "--python", FOLDER / "venv" / "bin" / "python", "--editable", project)
    say("Starting its server over stdio and calling the tool echo")
    server = project.name.replace("_", "-")
    run("python", CALL_TOOL, "--tool", "echo", "--arguments", '{"text": "Hello from the demo"}', server)
    say("What it recorded")
    recorded = run(server, "logs")
    say("Over to you")
    print(f"  cd {project.relative_to(ROOT)}\n  ../venv/bin/{server} logs --help\n")
    return 0 if "echo" in recorded else 1


def say(line: str) -> None:
    """Announce the next step."""
    print(f"\n# {line}", flush=True)


def run(*command: str | Path) -> str:
    """Show a command of the project's environment, run it with all its data in `.demo`, show and return its output."""
    print("$", shlex.join(map(str, command)), flush=True)
    scripts = FOLDER / "venv" / "bin"
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "SQLITE_PATH": str(FOLDER / "logs.db"),
    }
    done = subprocess.run(
        [scripts / command[0], *command[1:]], cwd=FOLDER, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    print(done.stdout, end="", flush=True)
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main())
