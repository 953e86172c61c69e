"""Delete the files of unchosen destinations, write secrets to .env and print the next commands. Safe to run again."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")
DESTINATIONS, OPTIONS = ANSWERS["_manifest"]["destinations"], ANSWERS["_manifest"]["options"]
CHOSEN = [name for name, entry in DESTINATIONS.items() if ANSWERS[entry["role"] + "_log_destination"] in (name, "all")]
SECRET = re.compile(r"(?!\w+://).|\w+://[^/?#]*:[^/?#]+@")  # a URL is a secret only with a password in it


def main() -> int:
    """Delete what was not chosen and the folders this leaves empty, write secrets to .env, print the next commands."""
    for path in list(unwanted()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        for folder in takewhile(lambda folder: not any(folder.iterdir()), path.parents[:-1]):
            folder.rmdir()
    for answer in [answer for name in CHOSEN for answer in DESTINATIONS[name].get("secrets", [])]:
        if SECRET.match(ANSWERS[answer]):
            add_to_env(answer.upper(), ANSWERS[answer])
    print(next_steps())
    return 0


def next_steps() -> str:
    """Return the commands up to the first recorded call, as the README has them for this platform."""
    verbs = ["call echo text=hello"] if ANSWERS["include_example_tools"] == "yes" else []
    verbs.append("logs" if verbs and ANSWERS["local_log_destination"] != "none" else "doctor")
    python, scripts = ("py", ".venv\\Scripts\\") if os.name == "nt" else ("python3", ".venv/bin/")
    enter, name = f"cd {ANSWERS['project_slug']}", ANSWERS["__dist_name"]
    with_uv = [enter, *(f"uv run {name} {verb}" for verb in verbs)]
    with_pip = [enter, f"{python} -m venv .venv", f"{scripts}pip install -e ."]
    with_pip += [f"{scripts}{name} {verb}" for verb in verbs]
    return "\n  ".join(["Next steps, with uv:", *with_uv]) + "\n\n" + "\n  ".join(["Without uv:", *with_pip])


def unwanted() -> Iterator[Path]:
    """Yield the folders and files of the destinations and options that were not chosen."""
    patterns = [] if any("service" in DESTINATIONS[name] for name in CHOSEN) else ["compose.yaml"]
    for name in DESTINATIONS.keys() - CHOSEN:
        patterns += [f"{tree}/logging/destinations/{name}" for tree in ("src/*", "tests")]
        patterns += [f"tests/logging/destinations/test_{name}.py", f"docs/destinations/{name}.md"]
        patterns += DESTINATIONS[name].get("paths", [])
    for name, option in OPTIONS.items():
        patterns += [*option["paths"], *option.get("folders", [])] if ANSWERS[name] == "no" else []
    for pattern in patterns:
        yield from Path().glob(pattern.replace("src/*/", f"src/{ANSWERS['project_slug']}/"))


def add_to_env(name: str, value: str, file: Path = Path(".env")) -> None:
    """Append a setting to .env unless it is there; quote it so that python-dotenv reads back the same value."""
    # python-dotenv reads the default of a nameless variable, ${:-...}, literally: without escapes and substitutions.
    quoted = re.sub(r"\\|\$(?=\{)", lambda found: "${:-" + found[0] + "}", value).replace("'", "\\'")
    os.close(os.open(file, os.O_CREAT, 0o600))
    file.chmod(0o600)
    with file.open("r+", encoding="utf-8") as stream:
        before = stream.read()
        if not re.search(rf"^{name}=", before, re.MULTILINE):
            stream.write("\n" * (before[-1:] not in ("", "\n")) + f"{name}='{quoted}'\n")


if __name__ == "__main__":
    sys.exit(main())
